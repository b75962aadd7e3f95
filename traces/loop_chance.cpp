// What chance brings: how often executions of the shape come that are of other requests.
#include <algorithm>
#include <utility>

#include "traces/loop_linker.h"

namespace ectoscope {
namespace {

constexpr double kLeastRate = 1e-8;
constexpr double kMostBurst = 10;
constexpr double kMemory = 0.9;      // of the counts that chance is told from, a window
constexpr double kOwnAlone = 0.1;    // what one of its own counts where nothing else is near
constexpr Micros kSilence{100'000};  // before what opens a request

double microseconds(Micros time) {
  return static_cast<double>(time.count());
}

}  // namespace

void LoopLinker::update_rate(size_t executions, EventTime horizon) {
  const auto count = static_cast<double>(executions);
  const double rate = count / microseconds(limits_.window);
  rate_ = rate_ == 0 ? rate : (rate_ + rate) / 2;
  burst_ = usual_rate_ == 0 ? 1 : std::clamp(rate_ / usual_rate_, 1.0, kMostBurst);
  usual_rate_ = usual_rate_ == 0 ? rate : usual_rate_ + (rate - usual_rate_) / 8;
  own_ = own_ * kMemory + count;
  others_ = others_ * kMemory + std::max(0.0, static_cast<double>(stream_->in_window) - count);
  const double turn = stream_->clock.at(horizon);
  const double share = count / std::max(1.0, turn - turn_);
  share_ = share_ == 0 ? share : (share_ + share) / 2;
  turn_ = turn;
}

LoopLinker::Nearby LoopLinker::nearby(const ActivityModel::Span& span) const {
  const auto before = [&](uint32_t id, EventTime time) { return nodes_[id].ended_at < time; };
  const auto first = std::lower_bound(order_.begin(), order_.end(), span.from, before);
  const auto last = std::lower_bound(first, order_.end(), span.to, before);
  // Around the horizon some of its own still wait for their window.
  const auto waiting = std::count_if(pending_.begin(), pending_.end(), [&](uint32_t id) {
    return nodes_[id].ended_at >= span.from && nodes_[id].ended_at < span.to;
  });
  const auto own = static_cast<double>(last - first + waiting);
  const auto all = static_cast<double>(stream_->activity.between(span.from, span.to));
  return {span, own, std::max(0.0, all - own)};
}

// How often other requests bring the shape at that moment, a microsecond: as often as it comes for
// each execution of others, times how many of those there are.  Its own count too where others do;
// where it is nearly alone they are hardly evidence of other requests, for a loop would be its own
// chance.  But what opens requests stands alone whenever several begin at once.
double LoopLinker::chance(const Nearby& near, bool opens) const {
  const double all = near.own + near.others;
  if (all == 0) return kLeastRate;
  const double counts = opens ? 1 : kOwnAlone + (1 - kOwnAlone) * near.others / all;
  const double each = own_ / (others_ + counts * own_);
  return std::max(
      each * (near.others + counts * near.own) / microseconds(near.span.to - near.span.from),
      kLeastRate);
}

void LoopLinker::prepare_nodes() {
  PoolModel& pool = stream_->pool;
  const uint32_t generation = pool.generation();
  StatementClock::Reader starts(stream_->clock);
  StatementClock::Reader ends(stream_->clock);
  StatementClock::Reader before(stream_->clock);
  Nearby near;
  const Node* last = nullptr;
  for (const uint32_t id : order_) {
    Node& node = nodes_[id];
    if (node.fresh || backends_of_ != generation) node.backend = pool.number(runs_[id].pid);
    const Node* previous = std::exchange(last, &node);
    if (!node.fresh) continue;
    node.start_turn = starts.at(node.started_at);
    node.end_turn = ends.at(node.ended_at);
    node.opens = previous != nullptr && node.started_at - previous->ended_at < kSilence
                     ? previous->opens
                     : before.at(node.started_at - kSilence) == node.start_turn;
    const ActivityModel::Span span = ActivityModel::around(node.started_at);
    if (span.from != near.span.from) near = nearby(span);
    node.rate_by_time = chance(near, node.opens);
    node.rate = stream_->by_turns() ? share() / StreamModels::kTurn : node.rate_by_time;
  }
  backends_of_ = generation;
  if (pool.generation() == generation) return;
  // The pool began anew meanwhile.  Should it do so again, the last numbers are good enough: it
  // knows nothing yet.
  for (const uint32_t id : order_)
    nodes_[id].backend = pool.number(runs_[id].pid);
  backends_of_ = pool.generation();
}

}  // namespace ectoscope
