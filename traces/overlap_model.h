// Repeats of one question: of one process that asks again, or of several at once.
//
// A page that calls an API eight times looks its user up eight times, and so does a request that
// forgets what it knows.  What tells them apart: a process runs nothing while it waits for an
// answer, but while one call asks, what the others run is under way.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>

#include "core/execution.h"

namespace ectoscope {

/// When a statement ran.
struct RunTime {
  EventTime started_at;
  EventTime ended_at;
};

/// Threads: one at a time.  Bounded: kMaxShapes, then it begins anew.
class OverlapModel {
 public:
  /// `others` are looked at as far before a loop, and once more its length, to tell chance.
  static constexpr Micros kBefore{700'000};

  /// The answer where nothing tells.
  static constexpr double kUnknown = 0.25;

  /// Probability that the executions of `loop`, by end and of one shape, were several processes'.
  /// `others` are other reads of the stream, meanwhile and before, all since `known_since`. Learns.
  double several(std::span<const Execution> loop, std::span<const RunTime> others,
                 EventTime known_since);

 private:
  static constexpr size_t kMaxShapes = 4096;

  // Other reads that ran while the shape's did, of all loops.
  struct Overlaps {
    double seen = 0;
    double by_chance = 0;   // as many did at other times
    double if_several = 0;  // as many would, were they independent of the loop's
  };

  std::unordered_map<QueryId, Overlaps> shapes_;
};

}  // namespace ectoscope
