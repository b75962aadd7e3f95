// Keys that the clock asks for.
//
// A LiveView that looks every second whether its user's job is done, a device that reports every
// minute: many of them ask in the same order each time, as a loop over the same rows does, and each
// for a key of its own.  But each key comes again after the same time as before, and they come as
// spread as the shape always comes; a loop that a timer starts comes in a burst.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>

#include "core/execution.h"

namespace ectoscope {

/// Threads: one at a time.  Bounded: kMaxKeys, then it begins anew.
class TickModel {
 public:
  /// How many of a loop's executions, 0..1, came for a key whose last two times were as far apart
  /// as this one and the last.  0 where these are fewer than half, or where they come more than
  /// kSpread times as fast as the shape usually does, `usual_rate` a microsecond.  Remembers them.
  double share(std::span<const Execution> loop, double usual_rate);

 private:
  static constexpr size_t kMaxKeys = 16'384;

  struct Tick {
    EventTime newest{};  // of all loops
    EventTime latest{};  // in the loop that was looked at last
    Micros period{0};    // 0: came once
  };

  bool ticks(const Execution& execution);

  std::unordered_map<uint64_t, Tick> ticks_;  // by shape and key
};

}  // namespace ectoscope
