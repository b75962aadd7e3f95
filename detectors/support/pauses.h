// Where a request was silent: what came after a long pause was started by something else.
#pragma once

#include <vector>

#include "core/query.h"
#include "core/trace.h"
#include "detectors/support/repeats.h"

namespace ectoscope {

/// From so many repeats and so much database time on a loop is critical; silent for longer than
/// `patient_gap` between its repeats, it is info.
struct LoopLimits {
  uint64_t critical_repeats = 0;
  Micros critical_time{0};
  Micros patient_gap{0};
};

/// A trace cut into parts.  A part ends where nothing ran for `longest` or longer, outside of a
/// transaction: a process that lives long (a LiveView, a consumer) goes on with the tag that it
/// began with, and each event that it serves is a part.  What grouping joined without a tag is one
/// part: grouping has limits of its own.  Valid while the trace is.
class Pauses {
 public:
  Pauses(const Trace& trace, const QueryTable& queries, Micros longest);

  /// Of an execution, by its index; ascending.
  [[nodiscard]] uint32_t part(size_t execution) const { return parts_[execution]; }

  /// Takes out of `repeats` what has fewer than `least` of its shape in its part.  Tells of a near
  /// miss when nothing stays, which leaves `repeats.at` empty.  Call measure() afterwards.
  void drop_lone(uint64_t least, Repeats& repeats, Report& report) const;

  /// A loop's severity, by the part that has most of it, and its confidence: less at the pace of
  /// something that the request waited for.  Call after observation.confidence is set.
  void grade(const Repeats& repeats, const LoopLimits& limits, Observation& observation) const;

  /// One statement could do the work of each part.
  [[nodiscard]] uint64_t excess(const Repeats& repeats) const;

  /// How long the request was silent between two repeats of one part, in the mean.
  [[nodiscard]] Micros mean_between(const Repeats& repeats) const;

 private:
  struct Weight {
    uint64_t repeats = 0;
    Micros duration{0};
  };
  [[nodiscard]] Weight heaviest(const Repeats& repeats) const;

  const Trace& trace_;
  std::vector<uint32_t> parts_;
  std::vector<Micros> silent_;  // in the trace's parts, up to each execution
};

}  // namespace ectoscope
