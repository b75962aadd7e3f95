// How busy a stream is from moment to moment.
//
// What arrives by chance arrives more often while the whole application is busy: a shape's mean
// rate says too little in a burst of traffic and too much in a lull.
#pragma once

#include <vector>

#include "core/time.h"

namespace ectoscope {

/// Threads: one at a time.  Bounded: kSpan of event time.
class ActivityModel {
 public:
  /// An execution of any shape ended then.
  void add(EventTime at);

  /// Rate around `at` over the mean rate of the busy moments of the last seconds; 1 is usual.
  [[nodiscard]] double factor(EventTime at) const { return factor_of_slot(slot_of(at)); }

  /// Of executions that are asked about one after the other: each slot is looked up once.
  class Reader {
   public:
    explicit Reader(const ActivityModel& model) : model_(model) {}
    double factor(EventTime at) {
      const int64_t slot = slot_of(at);
      if (!any_ || slot != slot_) factor_ = model_.factor_of_slot(slot);
      any_ = true;
      slot_ = slot;
      return factor_;
    }

   private:
    const ActivityModel& model_;
    int64_t slot_ = 0;
    double factor_ = 1;
    bool any_ = false;
  };

 private:
  static constexpr Micros kSlot{50'000};
  static constexpr size_t kSlots = 256;  // some 13 s

  [[nodiscard]] static int64_t slot_of(EventTime at) { return at.time_since_epoch() / kSlot; }
  /// In counts_; slots before 1970 are negative, and kSlots is a power of two.
  [[nodiscard]] static size_t place_of(int64_t slot) { return static_cast<size_t>(slot) % kSlots; }
  [[nodiscard]] double factor_of_slot(int64_t slot) const;
  void advance(int64_t slot);

  std::vector<uint32_t> counts_ = std::vector<uint32_t>(kSlots);
  int64_t newest_ = 0;
  uint64_t total_ = 0;  // in counts_
  size_t filled_ = 0;   // slots since the first execution, at most kSlots
  bool any_ = false;
};

}  // namespace ectoscope
