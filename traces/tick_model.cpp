#include "traces/tick_model.h"

#include <algorithm>

#include "core/hash.h"

namespace ectoscope {
namespace {

constexpr double kSpread = 10;
constexpr double kLeastShare = 0.5;   // fewer recur so by chance
constexpr Micros kShortest{200'000};  // of periods
constexpr Micros kJitter{5'000};      // of a timer, besides a fiftieth of its period
constexpr int64_t kMostMissed = 3;    // ticks in a row that stood in no loop

}  // namespace

double TickModel::share(std::span<const Execution> loop, double usual_rate) {
  size_t ticking = 0;
  for (const Execution& execution : loop)
    if (execution.key_hash != 0 && ticks(execution)) ++ticking;
  const auto count = static_cast<double>(loop.size());
  const auto time = static_cast<double>((loop.back().started_at - loop.front().started_at).count());
  if (count - 1 > kSpread * usual_rate * time) return 0;
  const double share = static_cast<double>(ticking) / count;
  return share < kLeastShare ? 0 : share;
}

bool TickModel::ticks(const Execution& execution) {
  const uint64_t key = mix_hash(execution.query, execution.key_hash);
  if (ticks_.size() >= kMaxKeys && !ticks_.contains(key)) ticks_.clear();
  Tick& tick = ticks_[key];
  const bool again = tick.newest != EventTime{};
  // A window's loops come in no order of time.
  const Micros since = std::chrono::abs(execution.started_at - tick.newest);
  const bool at_once = std::chrono::abs(execution.started_at - tick.latest) < kShortest;
  tick.latest = execution.started_at;
  tick.newest = std::max(tick.newest, execution.started_at);
  if (!again || at_once || since < kShortest) return false;
  if (tick.period == Micros(0)) {
    tick.period = since;
    return false;
  }
  const int64_t times = std::max<int64_t>(1, (since + tick.period / 2) / tick.period);
  const Micros off = std::chrono::abs(since - tick.period * times);
  if (times > kMostMissed + 1 || off > tick.period / 50 + kJitter) {
    tick.period = since;
    return false;
  }
  tick.period = since / times;
  return true;
}

}  // namespace ectoscope
