// What all shapes of a stream share: how requests wait, which backends serve them, how busy it is.
//
// A request waits in seconds, for its application's own work, or in turns: where more requests want
// a connection than the pool has, what passes between two of its statements is the queue, so many
// statements of others, however long each takes.  Both clocks learn from the same sure links; the
// one that explains them better is believed.
#pragma once

#include <cstdint>
#include <vector>

#include "core/time.h"
#include "traces/activity_model.h"
#include "traces/gap_model.h"
#include "traces/pool_model.h"

namespace ectoscope {

/// Time counted in statements instead of seconds.
///
/// Threads: one at a time.  Bounded: the last kMost starts.
class StatementClock {
 public:
  void add(EventTime started_at);

  /// Statements of the stream that started before `at`, counted from its beginning.
  [[nodiscard]] double at(EventTime at) const;

  /// The same, found sooner where times are asked in nearly ascending order.
  class Reader {
   public:
    explicit Reader(const StatementClock& clock) : clock_(clock), near_(clock.first_) {}
    double at(EventTime at);

   private:
    const StatementClock& clock_;
    size_t near_;  // in starts_: the last answer
  };

 private:
  static constexpr size_t kMost = 32'768;

  std::vector<EventTime> starts_;  // ascending; what is before first_ is gone
  size_t first_ = 0;
  uint64_t gone_ = 0;
};

/// A gap on both clocks.
struct LinkGap {
  Micros time{0};
  double turns = 0;
};

/// Threads: one at a time.
class StreamModels {
 public:
  /// A gap model reads microseconds; a turn counts for a millisecond there.
  static constexpr double kTurn = 1000;

  PoolModel pool;
  ActivityModel activity;
  StatementClock clock;
  uint64_t in_window = 0;  // executions of `activity` since the last window was closed

  [[nodiscard]] bool by_turns() const { return by_turns_; }
  [[nodiscard]] const GapModel& gaps() const { return by_turns_ ? turns_ : time_; }
  /// For parents, which are found on the wall's clock.
  [[nodiscard]] const GapModel& time_gaps() const { return time_; }
  /// `gap` on the clock that is believed.
  [[nodiscard]] Micros of(const LinkGap& gap) const;

  /// A link that is right with probability `weight`; the rates say how often its shape comes by
  /// chance, by microsecond and by turn.
  void learn(const LinkGap& gap, double rate, double share, double weight);

  /// Decides between the clocks; between windows, not within one.
  void choose_clock();

 private:
  GapModel time_{GapModel::Steps::kHalfOctaves};
  GapModel turns_{GapModel::Steps::kQuartersOfOctaves};
  double for_turns_ = 0;  // log likelihood ratios, summed over compared_ links
  double compared_ = 0;
  bool by_turns_ = false;
};

}  // namespace ectoscope
