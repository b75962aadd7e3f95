// The second half of LoopLinker: links become strands, strands are joined, judged and closed.
#include <algorithm>
#include <cmath>
#include <tuple>

#include "traces/loop_linker.h"

namespace ectoscope {
namespace {

constexpr Micros kJoinGap{250'000};  // between the executions that vote
constexpr float kTellingRatio = 5;
constexpr double kJoinShare = 0.2;  // of the votes
constexpr uint64_t kCutCount = 4;   // executions before a chain's keys say what it is
constexpr double kCutTold = 0.7;
constexpr int kVotesEach = 3;    // of one execution for one strand
constexpr double kByChance = 5;  // log odds: so many shapes in so many windows, chance loops too
constexpr double kLeastWeight = 1e-9;

}  // namespace

// Where nearly all links of a chain are told by its keys, the one that is not joins two loops that
// ran one after the other.
void LoopLinker::cut_between_loops(bool cold) {
  for (const uint32_t id : order_) {
    Node& node = nodes_[id];
    if (!node.fresh || node.before == kNone) continue;
    const Span& chain = work_.chains[node.chain];
    if (chain.count < kCutCount) continue;
    if (static_cast<double>(chain.told) < kCutTold * static_cast<double>(chain.count - 1)) continue;
    Node& before = nodes_[node.before];
    // While it was cold, keys have learned since the candidates were gathered.
    if (cold ? keys_tell(node.before, id) : work_.candidates[node.candidate].tells) continue;
    const uint32_t earlier = before.before;
    if (earlier != kNone && keys_tell(earlier, id)) continue;
    before.after = kNone;
    node.before = kNone;
  }
}

void LoopLinker::build_strands() {
  for (const uint32_t id : order_) {
    Node& node = nodes_[id];
    if (node.strand != kNone) continue;
    const uint32_t before = node.before == kNone ? kNone : nodes_[node.before].strand;
    if (before != kNone && node.started_at - strand_pool_[before].span.start < limits_.max_age) {
      node.strand = before;
    } else if (!free_strands_.empty()) {
      node.strand = free_strands_.back();
      free_strands_.pop_back();
      strand_pool_[node.strand] = Strand{};
      open_.push_back(node.strand);
    } else {
      node.strand = static_cast<uint32_t>(strand_pool_.size());
      strand_pool_.emplace_back();
      open_.push_back(node.strand);
    }
    Strand& strand = strand_pool_[node.strand];
    strand.span.add(node);
    if (node.before != kNone && keys_tell(node.before, id)) {
      ++strand.span.told;
    }
    if (strand.kept >= limits_.max_executions) continue;
    ++strand.kept;
    node.listed = true;
    if (strand.tail == kNone) {
      strand.head = id;
    } else {
      nodes_[strand.tail].in_strand = id;
    }
    strand.tail = id;
  }
}

void LoopLinker::join(uint32_t into, uint32_t from) {
  Strand& kept = strand_pool_[into];
  Strand& gone = strand_pool_[from];
  for (uint32_t id = gone.head; id != kNone; id = nodes_[id].in_strand)
    nodes_[id].strand = into;
  for (const uint32_t id : order_) {
    if (nodes_[id].strand == from) nodes_[id].strand = into;
  }
  if (gone.head != kNone) {
    if (kept.tail == kNone) {
      kept.head = gone.head;
    } else {
      nodes_[kept.tail].in_strand = gone.head;
    }
    kept.tail = gone.tail;
  }
  kept.kept += gone.kept;
  kept.span.add(gone.span);
  kept.sureness += gone.sureness;
  kept.weighed += gone.weighed;
  kept.evidence += gone.evidence;
  open_.erase(std::find(open_.begin(), open_.end(), from));
  free_strands_.push_back(from);
}

// Executions of two strands that stand side by side vote: do their keys follow each other as one
// loop's keys do?
LoopLinker::StrandVotes LoopLinker::votes_of_neighbours() {
  begin_sweep();
  StrandVotes votes;
  std::vector<std::pair<uint32_t, int>> heard;
  for (size_t i = 0; i < order_.size(); ++i) {
    const Node& node = nodes_[order_[i]];
    heard.clear();
    for (const Candidate& candidate : candidates(i)) {
      const Node& before = nodes_[candidate.before];
      if (before.strand == node.strand) continue;
      if (node.started_at - before.ended_at > kJoinGap) continue;
      auto found = std::find_if(heard.begin(), heard.end(),
                                [&](const auto& h) { return h.first == before.strand; });
      if (found == heard.end()) found = heard.insert(heard.end(), {before.strand, 0});
      if (++found->second > kVotesEach) continue;
      Votes& pair = votes[std::minmax(before.strand, node.strand)];
      ++pair.all;
      if (before.after == kNone && node.before == kNone) {
        Candidate supposed = candidate;
        supposed.keys = std::max(supposed.keys, kTellingRatio);
        pair.near = pair.near || weight(supposed, node) > shares_.start;
      }
      if (keys_tell(candidate.before, order_[i])) ++pair.for_it;
    }
  }
  return votes;
}

bool LoopLinker::side_by_side(uint32_t one, uint32_t other) const {
  const Span& a = strand_pool_[one].span;
  const Span& b = strand_pool_[other].span;
  return a.start < b.end && b.start < a.end;
}

// One loop asks for each of its keys once, or repeats them in every part of it.
bool LoopLinker::same_rows(uint32_t one, uint32_t other) const {
  const size_t slot = keys_.telling_slot();
  std::vector<int64_t> keys;
  size_t repeated = 0;
  for (const uint32_t strand : {one, other}) {
    const auto first = static_cast<std::ptrdiff_t>(keys.size());
    for (uint32_t id = strand_pool_[strand].head; id != kNone; id = nodes_[id].in_strand) {
      if (nodes_[id].keys.has(slot)) keys.push_back(nodes_[id].keys.value[slot]);
    }
    std::sort(keys.begin() + first, keys.end());
    const auto end = std::unique(keys.begin() + first, keys.end());
    repeated += static_cast<size_t>(keys.end() - end);
    keys.erase(end, keys.end());
  }
  const size_t all = keys.size();
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return all - keys.size() > repeated;
}

// A loop whose links skipped every other execution leaves two strands side by side, and so do two
// loops over the same rows.  Strands that come one after the other are one loop's only where a
// telling key would have linked them.
void LoopLinker::join_interleaved() {
  std::vector<std::tuple<double, int, uint32_t, uint32_t, bool>> surest;
  for (const auto& [pair, vote] : votes_of_neighbours()) {
    const double share = static_cast<double>(vote.for_it) / vote.all;
    if (vote.for_it == 0 || share < kJoinShare || (vote.for_it < 2 && share < 1)) continue;
    surest.emplace_back(-share, -vote.for_it, pair.first, pair.second, vote.near);
  }
  std::sort(surest.begin(), surest.end());
  std::map<uint32_t, uint32_t> joined;  // strand -> the one that holds it now
  const auto home = [&](uint32_t strand) {
    for (auto at = joined.find(strand); at != joined.end(); at = joined.find(strand))
      strand = at->second;
    return strand;
  };
  for (const auto& [share, count, one, other, near] : surest) {
    const uint32_t a = home(one);
    const uint32_t b = home(other);
    if (a == b || !(near || side_by_side(a, b)) || same_rows(a, b)) continue;
    join(a, b);
    joined[b] = a;
  }
}

// How sure each execution of the window is to belong to its strand: its own strand's weight among
// all that might have preceded it.  And how much better its strand explains it than chance.
void LoopLinker::judge() {
  find_chains();
  begin_sweep();
  const double start = shares_.start;
  for (size_t i = 0; i < order_.size(); ++i) {
    const Node& node = nodes_[order_[i]];
    if (!node.fresh || node.before == kNone) continue;
    double total = start;
    double own = 0;
    double followed = 0;
    for (const Candidate& candidate : candidates(i)) {
      const Node& before = nodes_[candidate.before];
      const bool same = before.strand == node.strand;
      const bool taken =
          before.after != kNone && nodes_[before.after].started_at <= node.started_at;
      if (!same && taken) continue;
      const double its_weight = weight(candidate, node);
      total += its_weight;
      if (same) own += its_weight;
      if (candidate.before == node.before) followed = its_weight;
    }
    Strand& strand = strand_pool_[node.strand];
    strand.sureness += own / total;
    ++strand.weighed;
    strand.evidence += std::log(std::max(kLeastWeight, followed) * burst_);
  }
}

// That these executions go together, and that they do so not by chance.
double LoopLinker::confidence(const Strand& strand) {
  if (strand.weighed == 0) return 0;
  return strand.sureness / strand.weighed / (1 + std::exp(kByChance - strand.evidence));
}

void LoopLinker::forget_old(EventTime horizon) {
  const EventTime oldest = horizon - limits_.max_gap;
  auto kept = order_.begin();
  for (const uint32_t id : order_) {
    Node& node = nodes_[id];
    if (node.ended_at >= oldest) {
      *kept++ = id;
      continue;
    }
    if (node.after != kNone) nodes_[node.after].before = kNone;
    node.after = kNone;
    if (!node.listed) free_nodes_.push_back(id);
  }
  order_.erase(kept, order_.end());
}

void LoopLinker::free_strand(uint32_t strand) {
  for (uint32_t id = strand_pool_[strand].head; id != kNone;) {
    const uint32_t next = nodes_[id].in_strand;
    free_nodes_.push_back(id);
    id = next;
  }
  free_strands_.push_back(strand);
}

// `looked_at` strands stay open; 0 at first.
bool LoopLinker::next_closed(EventTime horizon, size_t& looked_at) {
  const EventTime oldest = horizon - limits_.max_gap;
  while (looked_at < open_.size()) {
    const uint32_t id = open_[looked_at];
    const Strand& strand = strand_pool_[id];
    if (strand.span.end >= oldest) {
      ++looked_at;
      continue;
    }
    open_[looked_at] = open_.back();
    open_.pop_back();
    ++strands_closed_;
    const bool loop = strand.span.count >= 3;
    if (loop) {
      work_.loop.executions.clear();
      for (uint32_t at = strand.head; at != kNone; at = nodes_[at].in_strand) {
        work_.loop.executions.push_back(runs_[at]);
      }
      std::stable_sort(
          work_.loop.executions.begin(), work_.loop.executions.end(),
          [](const Execution& a, const Execution& b) { return a.ended_at < b.ended_at; });
      work_.loop.count = strand.span.count;
      work_.loop.duration = strand.span.busy;
      work_.loop.confidence = confidence(strand);
    }
    free_strand(id);
    if (loop) return true;
  }
  return false;
}

}  // namespace ectoscope
