// The first half of LoopLinker: windows, and which execution follows which.
#include "traces/loop_linker.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/hash.h"
#include "traces/end_order.h"

namespace ectoscope {
namespace {

constexpr size_t kPairsEach = 8;  // pairs kept of one execution
constexpr size_t kDistantSample = 256;
constexpr size_t kDistantPairs = 4;    // an execution
constexpr Micros kDistant{1'000'000};  // further apart, a loop's keys are no neighbours any more
constexpr Micros kCold{4'000'000};     // learn several times from a shape's first seconds
constexpr int kColdPasses = 4;
constexpr int kWarmPasses = 2;
constexpr double kForget = 2000;   // executions; older ones count half then
constexpr uint64_t kLoop = 4;      // executions that make a strand a loop
constexpr double kTelling = 5;     // ratio of keys that tell
constexpr float kSure = 0.8F;      // such a link may teach gaps and pools
constexpr double kSupposed = 0.5;  // odds of a link, before its chain is weighed as a whole
constexpr double kLeastOdds = 1e-9;
constexpr double kBegunAlready = 1e9;
constexpr double kLeastBegun = 1e-3;  // loops for one lone execution: a shape may change its ways

}  // namespace

LoopLinker::LoopLinker(const Query& query, const LoopLimits& limits, Workspace& workspace)
    : query_(query), limits_(limits), work_(workspace) {}

uint32_t LoopLinker::take_node(const Execution& execution) {
  uint32_t id = 0;
  if (free_nodes_.empty()) {
    id = static_cast<uint32_t>(nodes_.size());
    nodes_.emplace_back();
    runs_.emplace_back();
  } else {
    id = free_nodes_.back();
    free_nodes_.pop_back();
    nodes_[id] = Node{};
  }
  runs_[id] = execution;
  Node& node = nodes_[id];
  node.started_at = execution.started_at;
  node.ended_at = execution.ended_at;
  node.duration = execution.duration;
  node.keys = key_values(execution, query_);
  return id;
}

void LoopLinker::add(const Execution& execution) {
  if (!any_seen_) {
    any_seen_ = true;
    first_seen_ = execution.started_at;
  }
  pending_.push_back(take_node(execution));
}

uint32_t LoopLinker::take_window(EventTime horizon) {
  auto later = pending_.begin();
  for (const uint32_t id : pending_) {
    if (nodes_[id].started_at < horizon) {
      order_.push_back(id);
    } else {
      *later++ = id;
    }
  }
  const auto taken = static_cast<uint32_t>(pending_.end() - later);
  pending_.erase(later, pending_.end());
  const auto earlier = [&](uint32_t a, uint32_t b) {
    const EventTime end = nodes_[a].ended_at;
    const EventTime other = nodes_[b].ended_at;
    return end != other ? end < other : ended_before(runs_[a], runs_[b]);
  };
  if (!std::is_sorted(order_.begin(), order_.end(), earlier))
    std::stable_sort(order_.begin(), order_.end(), earlier);
  return taken;
}

// What keys do by chance: pairs with executions seen long before.
void LoopLinker::learn_chance() {
  for (const uint32_t id : order_) {
    const Node& node = nodes_[id];
    if (node.strand != kNone) continue;
    std::array<size_t, kDistantPairs> drawn{};
    for (size_t i = 0; i < kDistantPairs && !distant_.empty(); ++i) {
      random_ = mix_hash(random_, 1);
      drawn[i] = random_ % distant_.size();
      keys_.prepare(distant_[drawn[i]], node.keys);
    }
    for (size_t i = 0; i < kDistantPairs && !distant_.empty(); ++i) {
      if (node.started_at - distant_at_[drawn[i]] < kDistant) continue;
      keys_.learn_distant(distant_[drawn[i]], node.keys);
      if (by_pairs_) successions_.learn_distant(distant_[drawn[i]].hash, node.keys.hash);
    }
    random_ = mix_hash(random_, 2);
    if (distant_.size() < kDistantSample) {
      distant_.push_back(node.keys);
      distant_at_.push_back(node.started_at);
    } else if (random_ % 4 == 0) {
      const size_t at = (random_ >> 8U) % kDistantSample;
      distant_[at] = node.keys;
      distant_at_[at] = node.started_at;
    }
  }
}

// The first look at a new shape: every candidate teaches as much as it is probable.
void LoopLinker::learn_softly() {
  auto& seen = work_.weighed;
  for (size_t i = 0; i < order_.size(); ++i) {
    const Node& node = nodes_[order_[i]];
    if (node.strand != kNone) continue;
    seen.clear();
    const double start = alone_ / weighed_;
    double total = start;
    for (Candidate candidate : candidates(i)) {
      // Each execution finds the keys as those before it taught them: that is how order is found.
      candidate.keys = static_cast<float>(key_ratio(candidate.before, order_[i]));
      seen.emplace_back(candidate.before, weight(candidate, node));
      total += seen.back().second;
    }
    alone_ += start / total;
    weighed_ += 1;
    for (const auto& [before, its_weight] : seen) {
      if (its_weight / total < 1e-3) continue;
      linked_ += its_weight / total;
      keys_.learn_link(nodes_[before].keys, node.keys, its_weight / total);
    }
  }
}

void LoopLinker::gather_pairs() {
  work_.pairs.clear();
  begin_sweep();
  const double start = shares_.start;
  const double least = supposing_ ? kSupposed : 1;
  for (size_t i = 0; i < order_.size(); ++i) {
    const Node& node = nodes_[order_[i]];
    if (node.strand != kNone) continue;
    const size_t first = work_.pairs.size();
    for (size_t at = work_.first_candidate[i]; at < work_.first_candidate[i + 1]; ++at) {
      const Candidate& candidate = work_.candidates[at];
      if (nodes_[candidate.before].after != kNone) continue;
      const double odds = weight(candidate, node, least * start) / start;
      if (odds > least)
        work_.pairs.push_back({odds, candidate.before, order_[i], static_cast<uint32_t>(at)});
    }
    if (work_.pairs.size() - first <= kPairsEach) continue;
    const auto begin = work_.pairs.begin() + static_cast<std::ptrdiff_t>(first);
    std::nth_element(begin, begin + kPairsEach, work_.pairs.end(),
                     [](const Pair& a, const Pair& b) { return a.weight > b.weight; });
    work_.pairs.resize(first + kPairsEach);
  }
}

void LoopLinker::match() {
  for (const uint32_t id : order_) {
    Node& node = nodes_[id];
    if (node.strand != kNone) continue;
    node.linked_to = node.before;
    if (node.before == kNone) continue;
    nodes_[node.before].after = kNone;
    node.before = kNone;
  }
  gather_pairs();
  const auto started = [&](uint32_t id) { return nodes_[id].started_at; };
  std::sort(work_.pairs.begin(), work_.pairs.end(), [&](const Pair& a, const Pair& b) {
    if (a.weight != b.weight) return a.weight > b.weight;
    if (a.after != b.after)
      return started(a.after) != started(b.after) ? started(a.after) < started(b.after)
                                                  : a.after < b.after;
    return a.before < b.before;
  });
  for (const Pair& pair : work_.pairs) {
    if (nodes_[pair.before].after != kNone || nodes_[pair.after].before != kNone) continue;
    nodes_[pair.before].after = pair.after;
    nodes_[pair.after].before = pair.before;
    nodes_[pair.after].candidate = pair.candidate;
  }
}

void LoopLinker::find_chains() {
  ++round_;
  work_.chains.clear();
  for (const uint32_t id : order_) {
    Node& node = nodes_[id];
    if (node.strand != kNone) {
      Strand& strand = strand_pool_[node.strand];
      if (strand.chain_round != round_) {
        strand.chain_round = round_;
        strand.chain = static_cast<uint32_t>(work_.chains.size());
        work_.chains.push_back(strand.span);
      }
      node.chain = strand.chain;
      continue;
    }
    if (node.before == kNone) {
      node.chain = static_cast<uint32_t>(work_.chains.size());
      work_.chains.emplace_back();
    } else {
      const Node& before = nodes_[node.before];
      node.chain = before.chain;
      if (work_.candidates[node.candidate].tells) ++work_.chains[node.chain].told;
    }
    work_.chains[node.chain].add(node);
  }
  pace_chains();
}

// A lone execution seldom begins a loop, so the first links of one never outweigh a beginning, and
// a shape that was once taken for one without loops would stay so.  Therefore all links are made
// as if loops were all there is, and what comes of it is weighed as a whole.
void LoopLinker::suppose_loops() {
  supposing_ = true;
  match();
  find_chains();
  drop_unlikely();
  supposing_ = false;
}

// Undoes the chains whose links together do not outweigh how seldom a loop begins.
void LoopLinker::drop_unlikely() {
  begin_sweep();
  const double start = shares_.start;
  const double lone = std::max(1.0, executions_ - in_loops_ + loop_starts_);
  work_.odds.assign(work_.chains.size(), std::log(std::max(kLeastBegun, loop_starts_ / lone)));
  for (const uint32_t id : order_) {
    const Node& node = nodes_[id];
    if (node.strand != kNone) {
      if (strand_pool_[node.strand].span.count >= kLoop) work_.odds[node.chain] = kBegunAlready;
      continue;
    }
    if (node.before == kNone) continue;
    const double its_weight = weight(work_.candidates[node.candidate], node);
    work_.odds[node.chain] += std::log(std::max(kLeastOdds, its_weight / start));
  }
  for (const uint32_t id : order_) {
    Node& node = nodes_[id];
    if (node.strand != kNone || node.before == kNone || work_.odds[node.chain] > 0) continue;
    nodes_[node.before].after = kNone;
    node.before = kNone;
  }
  find_chains();
}

void LoopLinker::learn_shares(bool cold) {
  double in_loops = 0;
  double executions = 0;
  double starts = 0;
  std::vector<bool> seen(work_.chains.size());
  for (const uint32_t id : order_) {
    const Node& node = nodes_[id];
    if (node.strand != kNone) continue;
    executions += 1;
    if (work_.chains[node.chain].count < kLoop) continue;
    in_loops += 1;
    if (!seen[node.chain]) starts += 1;
    seen[node.chain] = true;
  }
  const double keep = cold ? 0.5 : 0.8;
  in_loops_ = in_loops_ * keep + in_loops;
  executions_ = executions_ * keep + executions;
  loop_starts_ = loop_starts_ * keep + starts;
}

// How sure each link is.  With `teach` each learns from those before it, as in learn_softly().
void LoopLinker::weigh_links(bool teach) {
  begin_sweep();
  for (size_t i = 0; i < order_.size(); ++i) {
    Node& node = nodes_[order_[i]];
    if (node.strand != kNone) continue;
    weighed_ += 1;
    if (node.linked_to != node.before) node.own = 0;
    node.linked_to = node.before;
    if (node.before == kNone) {
      alone_ += 1;
      continue;
    }
    const double start = alone_ / weighed_;
    double total = start;
    double own = 0;
    for (Candidate candidate : candidates(i)) {
      const uint32_t taken_by = nodes_[candidate.before].after;
      if (taken_by != kNone && taken_by != order_[i]) continue;
      if (teach) candidate.keys = static_cast<float>(key_ratio(candidate.before, order_[i]));
      const double its_weight = weight(candidate, node);
      total += its_weight;
      if (candidate.before == node.before) own = its_weight;
    }
    node.sure = static_cast<float>(own / total);
    alone_ += start / total;
    linked_ += own / total;
    if (teach) learn_key(node);
  }
  if (weighed_ < kForget) return;
  weighed_ /= 2;
  alone_ /= 2;
  linked_ /= 2;
}

// Only links that keys make sure teach how long requests wait and which backends serve them.
void LoopLinker::learn_gaps() {
  for (const uint32_t id : order_) {
    const Node& node = nodes_[id];
    if (!node.fresh || node.before == kNone || node.sure <= kSure) continue;
    if (key_ratio(node.before, id) <= kTelling) continue;
    const Node& before = nodes_[node.before];
    stream_->learn(gap_between(before, node), node.rate_by_time, share(), node.sure);
    stream_->pool.learn(before.backend, node.backend, node.sure);
  }
}

void LoopLinker::learn_key(Node& node) {
  keys_.learn_link(nodes_[node.before].keys, node.keys, node.sure);
  node.own += node.sure;
}

// Before another look at the same executions, what they taught counts half.
void LoopLinker::halve_lessons() {
  keys_.halve_links();
  for (const uint32_t id : order_)
    nodes_[id].own /= 2;
  weighed_ /= 2;
  alone_ /= 2;
  linked_ /= 2;
}

void LoopLinker::assign(EventTime horizon, StreamModels& stream) {
  stream_ = &stream;
  const uint32_t taken = take_window(horizon);
  update_rate(taken, horizon);
  if (taken > 0) {
    prepare_nodes();
    by_pairs_ = query_.operation != Operation::kInsert && keys_.telling().empty();
    learn_chance();
    const bool cold = !assigned_ || horizon - first_seen_ < kCold;
    assigned_ = true;
    find_loops(cold);
    cut_between_loops(cold);
    if (!cold) {
      for (const uint32_t id : order_) {
        if (nodes_[id].fresh && nodes_[id].before != kNone) learn_key(nodes_[id]);
      }
    }
    build_strands();
    if (keys_.structured() > 0.3) join_interleaved();
    judge();
    if (by_pairs_) learn_successions();
  }
  for (const uint32_t id : order_)
    nodes_[id].fresh = false;
  forget_old(horizon);
}

void LoopLinker::find_loops(bool cold) {
  const int passes = cold ? kColdPasses : kWarmPasses;
  classed_ = !cold;
  if (classed_) find_chains();
  index_keys();
  gather_candidates();
  if (cold) {
    learn_softly();
    gather_candidates();
  }
  for (int pass = 1; pass < passes; ++pass) {
    if (!cold) {
      suppose_loops();
    } else {
      match();
      find_chains();
      learn_shares(cold);
      halve_lessons();
      weigh_links(cold);
      index_keys();
      gather_candidates();
    }
    classed_ = true;
  }
  match();
  find_chains();
  learn_shares(cold);
  weigh_links(cold);
  learn_gaps();
}

}  // namespace ectoscope
