// What speaks for and against one execution following another.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "traces/loop_linker.h"

namespace ectoscope {
namespace {

constexpr double kNegligible = 0.003;  // of the rival's weight
constexpr uint64_t kLoop = 4;          // executions that make a strand a loop
constexpr double kLeastAlone = 0.02;
constexpr double kMeanGap = 15'000;  // microseconds, before a loop has shown its own
constexpr double kPriorGaps = 1.5;
constexpr double kLeastGap = 500;
constexpr double kTelling = 5;         // ratio of keys that tell
constexpr double kLeastTaught = 0.15;  // of what it may follow; less is forgotten again
constexpr size_t kTick = 16;           // executions of one tick that are put in order
constexpr Micros kOverlap{-1000};
constexpr double kOverlapCosts = -3;    // as GapModel has it
constexpr double kRounding = 1 + 1e-9;  // more than all of a weight's roundings
constexpr double kOwnPace = 0.75;  // a loop's own, against the stream's; all wait the same turns

double microseconds(Micros time) {
  return static_cast<double>(time.count());
}

}  // namespace

void LoopLinker::Span::add(const Node& node) {
  add(Span{1, node.started_at, node.ended_at, node.duration, node.start_turn, node.end_turn,
           node.end_turn - node.start_turn, 0});
}

void LoopLinker::Span::add(const Span& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  start = std::min(start, other.start);
  end = std::max(end, other.end);
  first_turn = std::min(first_turn, other.first_turn);
  last_turn = std::max(last_turn, other.last_turn);
  count += other.count;
  busy += other.busy;
  busy_turns += other.busy_turns;
  told += other.told;
}

double LoopLinker::Span::idle(bool by_turns) const {
  const double all = by_turns ? StreamModels::kTurn * (last_turn - first_turn - busy_turns)
                              : microseconds(end - start - busy);
  return std::max(kLeastGap * static_cast<double>(count - 1), all);
}

double LoopLinker::Span::untold(double shape) const {
  constexpr double kPrior = 4;  // links
  const double links = static_cast<double>(count) - 1;
  const double silent = std::max(0.0, links - static_cast<double>(told));
  return (silent + kPrior * shape) / (links + kPrior);
}

LinkGap LoopLinker::gap_between(const Node& before, const Node& after) const {
  return {after.started_at - before.ended_at, after.start_turn - before.end_turn};
}

double LoopLinker::key_ratio(uint32_t before, uint32_t after) const {
  return difference_ratio(before, after) + came_before(nodes_[before].keys, nodes_[after].keys);
}

double LoopLinker::difference_ratio(uint32_t before, uint32_t after) const {
  const Node& node = nodes_[after];
  return keys_.ratio(nodes_[before].keys, node.keys,
                     node.linked_to == before ? static_cast<double>(node.own) : 0);
}

bool LoopLinker::keys_tell(uint32_t before, uint32_t after) const {
  const KeyValues& one = nodes_[before].keys;
  const KeyValues& other = nodes_[after].keys;
  return (one.comparable(other) && difference_ratio(before, after) >= kTelling) ||
         came_before(one, other) >= kTelling;
}

// Of what follows nothing, all that it might have followed teach.
void LoopLinker::learn_successions() {
  auto& seen = work_.weighed;
  for (size_t i = 0; i < order_.size(); ++i) {
    const Node& node = nodes_[order_[i]];
    if (!node.fresh) continue;
    if (node.before != kNone) {
      successions_.learn(nodes_[node.before].keys.hash, node.keys.hash, node.sure);
      continue;
    }
    seen.clear();
    double all = 0;
    for (const Candidate& candidate : candidates(i)) {
      const double its_weight = weight(candidate, node);
      seen.emplace_back(candidate.before, its_weight);
      all += its_weight;
    }
    const double total = all + shares_.start;
    for (const auto& [before, its_weight] : seen) {
      if (its_weight < kLeastTaught * all) continue;
      successions_.learn(nodes_[before].keys.hash, node.keys.hash, its_weight / total);
    }
  }
}

// The nearest in time, and those whose keys stand in a telling difference, however many are
// between.
template <typename Visit>
void LoopLinker::for_reachable(size_t position, Visit&& visit) const {
  const Node& after = nodes_[order_[position]];
  const auto in_reach = [&](const Node& before) {
    const Micros gap = after.started_at - before.ended_at;
    return gap <= limits_.max_gap && gap >= -limits_.max_overlap;
  };
  size_t nearest = position;
  for (size_t seen = 0; nearest > 0 && seen < kNearest; --nearest) {
    const Node& before = nodes_[order_[nearest - 1]];
    if (after.started_at - before.ended_at > limits_.max_gap) break;
    if (!in_reach(before)) continue;
    ++seen;
    visit(order_[nearest - 1]);
  }
  const size_t slot = keys_.telling_slot();
  if (work_.by_key.empty() || !after.keys.has(slot)) return;
  for (const int64_t delta : keys_.telling()) {
    const auto wanted = static_cast<int64_t>(static_cast<uint64_t>(after.keys.value[slot]) -
                                             static_cast<uint64_t>(delta));
    auto found = std::lower_bound(work_.by_key.begin(), work_.by_key.end(),
                                  std::pair{wanted, static_cast<uint32_t>(nearest)});
    // From the latest before `nearest` backwards.
    for (size_t i = 0; i < kPerKey && found != work_.by_key.begin(); ++i) {
      --found;
      if (found->first != wanted) break;
      if (in_reach(nodes_[order_[found->second]])) visit(order_[found->second]);
    }
  }
}

// Of one tick: each time the execution comes next that the fewest of the others lead to.
void LoopLinker::order_tick(std::span<uint32_t> tick) {
  work_.told.assign(tick.size() * tick.size(), 0);  // [after, before]
  const auto told = [&](size_t after, size_t before) -> double& {
    return work_.told[after * tick.size() + before];
  };
  for (size_t a = 0; a < tick.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      // With what their own link taught: without it, the other direction would be favoured.
      const KeyValues& one = nodes_[tick[a]].keys;
      const KeyValues& other = nodes_[tick[b]].keys;
      const double down = keys_.ratio(one, other) + came_before(one, other);
      const double up = keys_.ratio(other, one) + came_before(other, one);
      if (up > down && up >= kTelling) told(a, b) = up;
      if (down > up && down >= kTelling) told(b, a) = down;
    }
  }
  std::array<uint32_t, kTick> ordered{};
  std::array<bool, kTick> done{};
  for (size_t i = 0; i < tick.size(); ++i) {
    size_t next = 0;
    double least = std::numeric_limits<double>::infinity();
    for (size_t a = 0; a < tick.size(); ++a) {
      if (done[a]) continue;
      double led = 0;
      for (size_t b = 0; b < tick.size(); ++b)
        led += done[b] ? 0 : told(a, b);
      if (led >= least) continue;
      next = a;
      least = led;
    }
    done[next] = true;
    ordered[i] = tick[next];
  }
  std::copy_n(ordered.begin(), tick.size(), tick.begin());
}

// Within a tick the log's order says nothing, but the keys do, once they tell anything.
void LoopLinker::order_ticks() {
  if (keys_.structured() <= 0 && !(by_pairs_ && successions_.known())) return;
  for (size_t begin = 0; begin < order_.size();) {
    const Node& first = nodes_[order_[begin]];
    size_t end = begin + 1;
    while (end < order_.size() && nodes_[order_[end]].ended_at == first.ended_at)
      ++end;
    const size_t count = end - begin;
    if (first.fresh && count > 1 && count <= kTick &&
        !runs_[order_[begin]].has(Execution::kCoarseTime))
      order_tick(std::span(order_).subspan(begin, count));
    begin = end;
  }
}

void LoopLinker::index_keys() {
  keys_.refresh();
  order_ticks();
  work_.by_key.clear();
  if (keys_.telling().empty()) return;
  const size_t slot = keys_.telling_slot();
  for (size_t i = 0; i < order_.size(); ++i) {
    const KeyValues& keys = nodes_[order_[i]].keys;
    if (keys.has(slot)) work_.by_key.emplace_back(keys.value[slot], static_cast<uint32_t>(i));
  }
  std::sort(work_.by_key.begin(), work_.by_key.end());
}

void LoopLinker::gather_candidates() {
  work_.candidates.clear();
  work_.first_candidate.clear();
  for (size_t i = 0; i < order_.size(); ++i) {
    work_.first_candidate.push_back(work_.candidates.size());
    const Node& node = nodes_[order_[i]];
    if (!node.fresh) continue;
    for_reachable(i, [&](uint32_t before) {
      work_.candidates.emplace_back().before = before;
      keys_.prepare(nodes_[before].keys, node.keys);
    });
  }
  work_.first_candidate.push_back(work_.candidates.size());
  for (size_t i = 0; i < order_.size(); ++i) {
    for (size_t at = work_.first_candidate[i]; at < work_.first_candidate[i + 1]; ++at)
      weigh_candidate(work_.candidates[at], order_[i]);
  }
  pace_chains();  // index_keys() may have changed what untold keys are worth
}

void LoopLinker::weigh_candidate(Candidate& candidate, uint32_t after) const {
  const Node& before = nodes_[candidate.before];
  const Node& node = nodes_[after];
  const Micros gap = stream_->of(gap_between(before, node));
  const double cost = gap < kOverlap ? kOverlapCosts : 1;
  const double keys = difference_ratio(candidate.before, after);
  const double pair = came_before(before.keys, node.keys);
  const GapModel::Reading read = stream_->gaps().read(gap);
  candidate.keys = static_cast<float>(keys + pair);
  candidate.others =
      static_cast<float>(stream_->pool.ratio(before.backend, node.backend) / node.rate);
  candidate.density = static_cast<float>(read.density);
  candidate.survival = static_cast<float>(read.survival);
  candidate.gap_us = static_cast<float>(std::max(kLeastGap, cost * microseconds(gap)));
  candidate.tells = (keys >= kTelling && before.keys.comparable(node.keys)) || pair >= kTelling;
}

// Statements arrive as a superposition of point processes: each strand that may go on has an
// intensity, and so have beginnings (start_weight()).  What a strand's is, falls with its silence:
// it may have come to its end.  Evidence of keys and pools multiplies it.
//
// A full hazard joins loops that ran one after the other, a mere density breaks them at each pause:
// the root between the two was best over docs/chain.md's captures.
//
// The root is never under that of 1 - goes_on, the floor: most links are seen to be too weak by it.
double LoopLinker::weight(const Candidate& candidate, const Node& after, double least) const {
  double goes_on = 0;
  double floor = 0;
  if (!classed_) {
    goes_on = (linked_ + 1.2) / (weighed_ + 4);
  } else {
    const Pace& pace = work_.paces[nodes_[candidate.before].chain];
    if (pace.seen > 0) return weight_in_loop(candidate, after, pace, least);
    goes_on = shares_.lone_goes_on;
    floor = shares_.lone_floor;
  }
  const double evidence =
      static_cast<double>(candidate.keys) * static_cast<double>(candidate.others);
  const double intensity = evidence * goes_on * static_cast<double>(candidate.density);
  if (intensity * kRounding < least * floor) return 0;
  return intensity / std::sqrt(goes_on * static_cast<double>(candidate.survival) + 1 - goes_on);
}

double LoopLinker::weight_in_loop(const Candidate& candidate, const Node& after, const Pace& pace,
                                  double least) const {
  double seen = pace.seen;
  double time = pace.time;
  const double gap = candidate.gap_us;
  if (after.linked_to == candidate.before) {  // no link is its own evidence
    seen -= 1;
    time = std::max(time - gap, seen * kLeastGap);
  }
  seen += kPriorGaps;
  time += kPriorGaps * kMeanGap;
  // A loop over neighbours stays one; a loop over keys at random never was one.
  double keys = candidate.keys;
  if (keys < kTelling) keys *= pace.keys;
  const double goes_on = shares_.loop_goes_on;
  const double evidence = keys * static_cast<double>(candidate.others);
  const double density = candidate.density;
  double survival = candidate.survival;
  const double highest = density + seen / time;
  if (evidence * goes_on * highest < shares_.negligible) return 0;
  // A loop keeps its own pace: predictive density of an exponential gap with a gamma prior.
  const double own_pace = stream_->by_turns() ? 0 : kOwnPace;
  const auto density_with = [&](double own) {
    return own_pace * own * seen / (time + gap) + (1 - own_pace) * density;
  };
  const double most = time / (time + seen * gap);  // of `own`, by Bernoulli's inequality
  if (evidence * goes_on * density_with(most) * kRounding < least * shares_.loop_floor) return 0;
  const double own = std::pow(time / (time + gap), seen);
  survival = own_pace * own + (1 - own_pace) * survival;
  return evidence * goes_on * density_with(own) / std::sqrt(goes_on * survival + 1 - goes_on);
}

void LoopLinker::pace_chains() {
  work_.paces.assign(work_.chains.size(), Pace{});
  for (size_t i = 0; i < work_.chains.size(); ++i) {
    const Span& chain = work_.chains[i];
    if (chain.count < kLoop) continue;
    work_.paces[i] = {static_cast<double>(chain.count - 1), chain.idle(stream_->by_turns()),
                      chain.untold(keys_.untold()) / keys_.untold()};
  }
}

void LoopLinker::begin_sweep() {
  shares_.start = start_weight();
  shares_.loop_goes_on = 1 - std::clamp(loop_starts_ / std::max(in_loops_, 1.0), 0.01, 0.2);
  shares_.negligible = kNegligible * std::sqrt(1 - shares_.loop_goes_on) * shares_.start;
  shares_.loop_floor = std::sqrt(1 - shares_.loop_goes_on);
  const double loops = in_loops_ / executions_;
  const double early = loops * std::min(1.0, 3 * loop_starts_ / std::max(in_loops_, 1e-3));
  shares_.lone_goes_on = supposing_ ? shares_.loop_goes_on
                                    : std::clamp(early / (1 - loops + early), kLeastAlone, 0.95);
  shares_.lone_floor = std::sqrt(1 - shares_.lone_goes_on);
}

double LoopLinker::start_weight() const {
  if (!classed_) return alone_ / weighed_;
  return std::max(kLeastAlone, 1 - in_loops_ / executions_ + loop_starts_ / executions_);
}

}  // namespace ectoscope
