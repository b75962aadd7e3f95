// Where a request was silent: what came after a long pause was started by something else.
#pragma once

#include <vector>

#include "core/options.h"
#include "core/query.h"
#include "core/trace.h"
#include "detectors/support/repeats.h"

namespace ectoscope {

inline constexpr OptionSpec kCriticalRepeats = {
    "critical_repeats",
    OptionSpec::Type::kInteger,
    20,
    2,
    100'000,
    "From so many repeats on, and critical_time, the finding is critical."};
inline constexpr OptionSpec kCriticalTime = {
    "critical_time", OptionSpec::Type::kDuration,
    100'000,         0,
    60'000'000,      "Database time of one request's repeats that makes it critical."};
inline constexpr OptionSpec kPatientGap = {
    "patient_gap",
    OptionSpec::Type::kDuration,
    100'000,
    0,
    60'000'000,
    "A tagged request that is silent for longer than this between two repeats, in the mean, waits "
    "for something else: info only."};
inline constexpr OptionSpec kLongestPause = {
    "longest_pause",
    OptionSpec::Type::kDuration,
    500'000,
    1'000,
    60'000'000,
    "What a tagged request does after so long a silence counts anew: a LiveView's next event, a "
    "consumer's next message."};

/// How bad a loop is, by the first three of these options.
struct LoopGrades {
  explicit LoopGrades(const Options& options)
      : critical_repeats(static_cast<uint64_t>(options.integer(kCriticalRepeats.key))),
        critical_time(options.duration(kCriticalTime.key)),
        patient_gap(options.duration(kPatientGap.key)) {}

  uint64_t critical_repeats;
  Micros critical_time;
  Micros patient_gap;
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
  void grade(const Repeats& repeats, const LoopGrades& grades, Observation& observation) const;

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
