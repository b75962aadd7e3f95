#include "traces/stream_models.h"

#include <algorithm>
#include <cmath>

namespace ectoscope {
namespace {

constexpr double kEnough = 30;   // links
constexpr double kMargin = 0.1;  // nats a link that turns must explain better
constexpr double kMemory = 400;  // links; then old ones count half

}  // namespace

void StatementClock::add(EventTime started_at) {
  // Executions come by their ends, so the place is near the back.
  auto place = starts_.end();
  while (place != starts_.begin() && *std::prev(place) > started_at)
    --place;
  starts_.insert(place, started_at);
  if (starts_.size() <= kMost) return;
  starts_.pop_front();
  ++gone_;
}

double StatementClock::at(EventTime at) const {
  const auto place = std::lower_bound(starts_.begin(), starts_.end(), at);
  return static_cast<double>(gone_) + static_cast<double>(place - starts_.begin());
}

Micros StreamModels::of(const LinkGap& gap) const {
  return by_turns_ ? Micros(static_cast<int64_t>(kTurn * gap.turns)) : gap.time;
}

void StreamModels::learn(const LinkGap& gap, double rate, double share, double weight) {
  const Micros turns(static_cast<int64_t>(kTurn * gap.turns));
  const double by_time = time_.density(gap.time) / rate;
  const double by_turns = turns_.density(turns) / (share / kTurn);
  for_turns_ += weight * std::log(by_turns / by_time);
  compared_ += weight;
  if (compared_ > kMemory) {
    for_turns_ /= 2;
    compared_ /= 2;
  }
  time_.learn(gap.time, weight);
  turns_.learn(turns, weight);
}

void StreamModels::choose_clock() {
  by_turns_ = compared_ > kEnough && for_turns_ > kMargin * compared_;
}

}  // namespace ectoscope
