#include "traces/loop_linker.h"

#include <algorithm>
#include <cmath>

#include "core/hash.h"

namespace ectoscope {
namespace {

constexpr size_t kPairsEach = 8;  // pairs kept of one execution
constexpr size_t kDistantSample = 256;
constexpr int kDistantPairs = 4;       // an execution
constexpr Micros kDistant{1'000'000};  // further apart, a loop's keys are no neighbours any more
constexpr Micros kCold{4'000'000};     // learn several times from a shape's first seconds
constexpr int kColdPasses = 4;
constexpr int kWarmPasses = 2;
constexpr double kLeastRate = 1e-8;
constexpr double kNegligible = 0.003;  // of the rival's weight
constexpr double kForget = 2000;       // executions; older ones count half then
constexpr uint64_t kLoop = 4;          // executions that make a strand a loop
constexpr double kLeastAlone = 0.02;
constexpr double kMeanGap = 15'000;  // microseconds, before a loop has shown its own
constexpr double kLeastGap = 500;
constexpr double kTelling = 5;    // ratio of keys that tell
constexpr double kSureRatio = 5;  // of keys: such a link may teach gaps and pools
constexpr double kSure = 0.8;

double microseconds(Micros time) {
  return static_cast<double>(time.count());
}

}  // namespace

void LoopLinker::Span::add(const Execution& execution) {
  start = count == 0 ? execution.started_at : std::min(start, execution.started_at);
  end = count == 0 ? execution.ended_at : std::max(end, execution.ended_at);
  ++count;
  busy += execution.duration;
}

void LoopLinker::Span::add(const Span& other) {
  if (other.count == 0) return;
  start = count == 0 ? other.start : std::min(start, other.start);
  end = count == 0 ? other.end : std::max(end, other.end);
  count += other.count;
  busy += other.busy;
  told += other.told;
}

double LoopLinker::Span::idle_us() const {
  return std::max(kLeastGap * static_cast<double>(count - 1), microseconds(end - start - busy));
}

double LoopLinker::Span::untold(double shape) const {
  constexpr double kPrior = 4;  // links
  const double links = static_cast<double>(count) - 1;
  const double silent = std::max(0.0, links - static_cast<double>(told));
  return (silent + kPrior * shape) / (links + kPrior);
}

LoopLinker::LoopLinker(const Query& query, const LoopLimits& limits)
    : query_(query), limits_(limits) {}

uint32_t LoopLinker::take_node(const Execution& execution) {
  uint32_t id = 0;
  if (free_nodes_.empty()) {
    id = static_cast<uint32_t>(nodes_.size());
    nodes_.emplace_back();
  } else {
    id = free_nodes_.back();
    free_nodes_.pop_back();
    nodes_[id] = Node{};
  }
  nodes_[id].execution = execution;
  nodes_[id].keys = key_values(execution, query_);
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
  const auto later = std::stable_partition(pending_.begin(), pending_.end(), [&](uint32_t id) {
    return nodes_[id].execution.started_at < horizon;
  });
  const auto taken = static_cast<uint32_t>(later - pending_.begin());
  order_.insert(order_.end(), pending_.begin(), later);
  pending_.erase(pending_.begin(), later);
  std::stable_sort(order_.begin(), order_.end(), [&](uint32_t a, uint32_t b) {
    return nodes_[a].execution.ended_at < nodes_[b].execution.ended_at;
  });
  return taken;
}

void LoopLinker::update_rate(size_t executions) {
  const double now = static_cast<double>(executions) / microseconds(limits_.window);
  rate_ = rate_ == 0 ? now : (rate_ + now) / 2;
}

// What keys do by chance: pairs with executions seen long before.
void LoopLinker::learn_chance() {
  for (const uint32_t id : order_) {
    const Node& node = nodes_[id];
    if (node.strand != kNone) continue;
    for (int i = 0; i < kDistantPairs && !distant_.empty(); ++i) {
      random_ = mix_hash(random_, 1);
      const size_t at = random_ % distant_.size();
      if (node.execution.started_at - distant_at_[at] < kDistant) continue;
      keys_.learn_distant(distant_[at], node.keys);
    }
    random_ = mix_hash(random_, 2);
    if (distant_.size() < kDistantSample) {
      distant_.push_back(node.keys);
      distant_at_.push_back(node.execution.started_at);
    } else if (random_ % 4 == 0) {
      const size_t at = (random_ >> 8U) % kDistantSample;
      distant_[at] = node.keys;
      distant_at_[at] = node.execution.started_at;
    }
  }
}

void LoopLinker::index_keys() {
  keys_.refresh();
  by_key_.clear();
  if (keys_.telling().empty()) return;
  const size_t slot = keys_.telling_slot();
  for (size_t i = 0; i < order_.size(); ++i) {
    const KeyValues& keys = nodes_[order_[i]].keys;
    if (keys.has(slot)) by_key_.emplace_back(keys.value[slot], static_cast<uint32_t>(i));
  }
  std::sort(by_key_.begin(), by_key_.end());
}

// Statements arrive as a superposition of point processes: each strand that may go on has an
// intensity, and so have beginnings (start_weight()).  What a strand's is, falls with its silence:
// it may have come to its end.  Evidence of keys and pools multiplies it.
//
// A full hazard joins loops that ran one after the other, a mere density breaks them at each pause:
// the root between the two was best over docs/chain.md's captures.
double LoopLinker::weight(const Node& before, const Node& after) const {
  double keys = keys_.ratio(before.keys, after.keys);
  double goes_on = (linked_ + 1.2) / (weighed_ + 4);
  double seen = 0;  // of a loop's own gaps, and the time that they took; 0: it has shown none
  double time = 0;
  if (classed_) {
    const Span& chain = chains_[before.chain];
    if (chain.count >= kLoop) {
      seen = static_cast<double>(chain.count - 1) + 1.5;
      time = chain.idle_us() + 1.5 * kMeanGap;
      goes_on = 1 - std::clamp(loop_starts_ / std::max(in_loops_, 1.0), 0.01, 0.2);
      // A loop over neighbours stays one; a loop over keys at random never was one.
      if (keys < kTelling) keys *= chain.untold(keys_.untold()) / keys_.untold();
    } else {
      const double loops = in_loops_ / executions_;
      const double early = loops * std::min(1.0, 3 * loop_starts_ / std::max(in_loops_, 1e-3));
      goes_on = std::clamp(early / (1 - loops + early), kLeastAlone, 0.95);
    }
  }
  const double evidence = keys * stream_->pool.ratio(before.backend, after.backend) /
                          std::max(rate_ * after.activity, kLeastRate);
  const double highest = stream_->gaps.highest() + (seen > 0 ? seen / time : 0);
  if (evidence * goes_on * highest < kNegligible * std::sqrt(1 - goes_on) * start_weight())
    return 0;

  const Micros gap = after.execution.started_at - before.execution.ended_at;
  double density = stream_->gaps.density(gap);
  double survival = stream_->gaps.survival(gap);
  if (seen > 0) {
    // A loop keeps its own pace: predictive density of an exponential gap with a gamma prior.
    const double us = std::max(kLeastGap, microseconds(gap) * (gap < Micros(-1000) ? -3 : 1));
    const double own = std::pow(time / (time + us), seen);
    density = 0.75 * own * seen / (time + us) + 0.25 * density;
    survival = 0.75 * own + 0.25 * survival;
  }
  return evidence * goes_on * density / std::sqrt(goes_on * survival + 1 - goes_on);
}

double LoopLinker::start_weight() const {
  if (!classed_) return alone_ / weighed_;
  return std::max(kLeastAlone, 1 - in_loops_ / executions_ + loop_starts_ / executions_);
}

// The first look at a new shape: every candidate teaches as much as it is probable.
void LoopLinker::learn_softly() {
  std::vector<std::pair<const Node*, double>> seen;
  for (size_t i = 0; i < order_.size(); ++i) {
    const Node& node = nodes_[order_[i]];
    if (node.strand != kNone) continue;
    seen.clear();
    const double start = alone_ / weighed_;
    double total = start;
    for_candidates(i, [&](uint32_t, const Node& before) {
      seen.emplace_back(&before, weight(before, node));
      total += seen.back().second;
    });
    alone_ += start / total;
    weighed_ += 1;
    for (const auto& [before, its_weight] : seen) {
      if (its_weight / total < 1e-3) continue;
      linked_ += its_weight / total;
      keys_.learn_link(before->keys, node.keys, its_weight / total);
    }
  }
}

void LoopLinker::gather_pairs() {
  pairs_.clear();
  const double start = start_weight();
  for (size_t i = 0; i < order_.size(); ++i) {
    const Node& node = nodes_[order_[i]];
    if (node.strand != kNone) continue;
    const size_t first = pairs_.size();
    for_candidates(i, [&](uint32_t id, const Node& before) {
      if (before.after != kNone) return;
      const double odds = weight(before, node) / start;
      if (odds > 1) pairs_.push_back({odds, id, order_[i]});
    });
    if (pairs_.size() - first <= kPairsEach) continue;
    const auto begin = pairs_.begin() + static_cast<std::ptrdiff_t>(first);
    std::nth_element(begin, begin + kPairsEach, pairs_.end(),
                     [](const Pair& a, const Pair& b) { return a.weight > b.weight; });
    pairs_.resize(first + kPairsEach);
  }
}

void LoopLinker::match() {
  for (const uint32_t id : order_) {
    Node& node = nodes_[id];
    if (node.strand != kNone || node.before == kNone) continue;
    nodes_[node.before].after = kNone;
    node.before = kNone;
  }
  gather_pairs();
  const auto started = [&](uint32_t id) { return nodes_[id].execution.started_at; };
  std::sort(pairs_.begin(), pairs_.end(), [&](const Pair& a, const Pair& b) {
    if (a.weight != b.weight) return a.weight > b.weight;
    if (a.after != b.after)
      return started(a.after) != started(b.after) ? started(a.after) < started(b.after)
                                                  : a.after < b.after;
    return a.before < b.before;
  });
  for (const Pair& pair : pairs_) {
    if (nodes_[pair.before].after != kNone || nodes_[pair.after].before != kNone) continue;
    nodes_[pair.before].after = pair.after;
    nodes_[pair.after].before = pair.before;
  }
}

void LoopLinker::find_chains() {
  ++round_;
  chains_.clear();
  for (const uint32_t id : order_) {
    Node& node = nodes_[id];
    if (node.strand != kNone) {
      Strand& strand = strand_pool_[node.strand];
      if (strand.chain_round != round_) {
        strand.chain_round = round_;
        strand.chain = static_cast<uint32_t>(chains_.size());
        chains_.push_back(strand.span);
      }
      node.chain = strand.chain;
      continue;
    }
    if (node.before == kNone) {
      node.chain = static_cast<uint32_t>(chains_.size());
      chains_.emplace_back();
    } else {
      const Node& before = nodes_[node.before];
      node.chain = before.chain;
      if (keys_.ratio(before.keys, node.keys) >= kTelling) ++chains_[node.chain].told;
    }
    chains_[node.chain].add(node.execution);
  }
}

void LoopLinker::learn_shares(bool cold) {
  double in_loops = 0;
  double executions = 0;
  double starts = 0;
  std::vector<bool> seen(chains_.size());
  for (const uint32_t id : order_) {
    const Node& node = nodes_[id];
    if (node.strand != kNone) continue;
    executions += 1;
    if (chains_[node.chain].count < kLoop) continue;
    in_loops += 1;
    if (!seen[node.chain]) starts += 1;
    seen[node.chain] = true;
  }
  const double keep = cold ? 0.5 : 0.8;
  in_loops_ = in_loops_ * keep + in_loops;
  executions_ = executions_ * keep + executions;
  loop_starts_ = loop_starts_ * keep + starts;
}

void LoopLinker::learn_from_links(bool last) {
  for (size_t i = 0; i < order_.size(); ++i) {
    Node& node = nodes_[order_[i]];
    if (node.strand != kNone) continue;
    weighed_ += 1;
    if (node.before == kNone) {
      alone_ += 1;
      continue;
    }
    const double start = alone_ / weighed_;
    double total = start;
    double own = 0;
    for_candidates(i, [&](uint32_t id, const Node& before) {
      if (before.after != kNone && before.after != order_[i]) return;
      const double its_weight = weight(before, node);
      total += its_weight;
      if (id == node.before) own = its_weight;
    });
    const Node& before = nodes_[node.before];
    const double sure = own / total;
    alone_ += start / total;
    linked_ += sure;
    if (last && sure > kSure && keys_.ratio(before.keys, node.keys) > kSureRatio) {
      stream_->gaps.learn(node.execution.started_at - before.execution.ended_at, sure);
      stream_->pool.learn(before.backend, node.backend, sure);
    }
    keys_.learn_link(before.keys, node.keys, sure);
  }
  if (weighed_ < kForget) return;
  weighed_ /= 2;
  alone_ /= 2;
  linked_ /= 2;
}

void LoopLinker::prepare_nodes() {
  const uint32_t generation = stream_->pool.generation();
  for (const uint32_t id : order_) {
    Node& node = nodes_[id];
    node.backend = stream_->pool.number(node.execution.pid);
    if (node.fresh) node.activity = stream_->activity.factor(node.execution.started_at);
  }
  if (stream_->pool.generation() == generation) return;
  // The pool began anew meanwhile.  Should it do so again, the last numbers are good enough: it
  // knows nothing yet.
  for (const uint32_t id : order_)
    nodes_[id].backend = stream_->pool.number(nodes_[id].execution.pid);
}

void LoopLinker::assign(EventTime horizon, StreamModels& stream) {
  stream_ = &stream;
  const uint32_t taken = take_window(horizon);
  update_rate(taken);
  if (taken > 0) {
    prepare_nodes();
    learn_chance();
    const bool cold = horizon - first_seen_ < kCold;
    const int passes = cold ? kColdPasses : kWarmPasses;
    classed_ = !cold;
    if (classed_) find_chains();
    index_keys();
    for (int pass = 0; pass < passes; ++pass) {
      const bool last = pass + 1 == passes;
      if (cold && pass == 0) learn_softly();
      match();
      find_chains();
      if (cold || last) learn_shares(cold);
      if (cold && !last) {
        keys_.halve_links();
        weighed_ /= 2;
        alone_ /= 2;
        linked_ /= 2;
      }
      learn_from_links(last);
      classed_ = true;
      if (cold) index_keys();
    }
    cut_between_loops();
    build_strands();
    if (keys_.structured() > 0.3) join_interleaved();
    judge();
  }
  for (const uint32_t id : order_)
    nodes_[id].fresh = false;
  forget_old(horizon);
}

}  // namespace ectoscope
