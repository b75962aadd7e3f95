// How busy a stream is from moment to moment.
//
// What other requests bring comes more often while they are busy: a shape's mean rate says too
// little in a burst of traffic and too much in a lull.
#pragma once

#include <vector>

#include "core/time.h"

namespace ectoscope {

/// Threads: one at a time.  Bounded: kSlots of event time.
class ActivityModel {
 public:
  /// An execution of any shape ended then.
  void add(EventTime at);

  /// From `from` up to `to`, where executions that ended near `at` are counted.
  struct Span {
    EventTime from;
    EventTime to;
  };
  [[nodiscard]] static Span around(EventTime at);

  /// Executions that ended in whole slots from `from` up to `to`; what is older than kSlots
  /// is forgotten.
  [[nodiscard]] uint64_t between(EventTime from, EventTime to) const;

 private:
  static constexpr Micros kSlot{50'000};
  static constexpr size_t kSlots = 256;  // some 13 s

  [[nodiscard]] static int64_t slot_of(EventTime at) { return at.time_since_epoch() / kSlot; }
  /// In counts_; slots before 1970 are negative, and kSlots is a power of two.
  [[nodiscard]] static size_t place_of(int64_t slot) { return static_cast<size_t>(slot) % kSlots; }
  void advance(int64_t slot);

  std::vector<uint32_t> counts_ = std::vector<uint32_t>(kSlots);
  int64_t newest_ = 0;
  bool any_ = false;
};

}  // namespace ectoscope
