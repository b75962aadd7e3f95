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
  size_t place = starts_.size();
  starts_.push_back(started_at);
  for (; place > first_ && starts_[place - 1] > started_at; --place)
    starts_[place] = starts_[place - 1];
  starts_[place] = started_at;
  if (starts_.size() - first_ <= kMost) return;
  ++first_;
  ++gone_;
  if (first_ < kMost / 2) return;
  starts_.erase(starts_.begin(), starts_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
}

double StatementClock::at(EventTime at) const {
  return Reader(*this).at(at);
}

double StatementClock::Reader::at(EventTime at) {
  const std::vector<EventTime>& starts = clock_.starts_;
  // Steps that double, from the last answer, bracket the place.
  size_t low = near_;
  size_t high = near_;
  if (low < starts.size() && starts[low] < at) {
    for (size_t step = 1; high < starts.size() && starts[high] < at; step *= 2) {
      low = high + 1;
      high = std::min(starts.size(), high + step);
    }
  } else {
    for (size_t step = 1; low > clock_.first_ && !(starts[low - 1] < at); step *= 2) {
      high = low - 1;
      low = low - std::min(step, low - clock_.first_);
    }
  }
  const auto begin = starts.begin();
  near_ = static_cast<size_t>(std::lower_bound(begin + static_cast<std::ptrdiff_t>(low),
                                               begin + static_cast<std::ptrdiff_t>(high), at) -
                              begin);
  return static_cast<double>(clock_.gone_) + static_cast<double>(near_ - clock_.first_);
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
