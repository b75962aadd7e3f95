// Finds the other side of an incident: which statement and trace the holder of a lock ran.
//
// The log names a holder by its pid alone.  What it ran stands before the wait (its transaction is
// still open) or, when it is under way itself, after it: a wait is kept until it ends, and for as
// long as lines of that moment may still come.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/execution.h"
#include "core/incident.h"
#include "core/query.h"

namespace ectoscope {

/// Threads: one at a time.  Bounded in backends remembered and waits kept.  `queries` must outlive
/// it.
class IncidentLinker {
 public:
  using Sink = std::function<void(const Incident&)>;

  IncidentLinker(const QueryTable& queries, Sink sink)
      : queries_(queries), sink_(std::move(sink)) {}

  /// Executions and incidents in the order of the log.
  void add(std::span<const Execution> executions);
  void add(const Incident& incident);

  /// Event time has come to `now`: gives out the waits that are over.
  void advance(EventTime now);

  /// The input ends: gives out the waits that are kept.
  void finish();

  /// Visits the waits that are kept, and from when on the log tells who held the lock; of one that
  /// is over its end, too.
  void visit_waits(const std::function<void(const Incident&, EventTime needed)>& visit) const;

 private:
  /// What is needed of an execution to name it as a side.
  struct Run {
    EventTime started_at;
    EventTime ended_at;
    uint64_t transaction = 0;
    TraceId trace_id;
    QueryId query = kNoQuery;
  };
  /// The newest runs of one backend, as a ring.
  struct Backend {
    static constexpr size_t kKept = 8;
    std::array<Run, kKept> runs;
    uint32_t count = 0;  // of all that came
    EventTime last;
  };
  struct Wait {
    Incident incident;
    EventTime began;                               // of the message
    EventTime needed;                              // of what was chosen, the earliest start
    uint64_t end_position = 0;                     // of the message of its end
    bool over = false;                             // incident.at is its end then
    std::array<int, Incident::kMaxOthers> fits{};  // how well each side's statement does
  };

  static constexpr size_t kMaxBackends = 8192;
  static constexpr size_t kMaxWaits = 1024;
  static constexpr Micros kLongestWait{300'000'000};  // then it is told of as it stands
  static constexpr Micros kSettle{5'000};             // lines of one moment stand in any order

  void note(const Execution& execution);
  void forget_idle();
  void look_under_way(const Execution& execution);
  [[nodiscard]] int fit(const Incident& incident, const Run& run) const;
  void choose(Wait& wait, size_t side) const;
  void finish_wait(const Incident& end);

  const QueryTable& queries_;
  Sink sink_;
  std::unordered_map<int32_t, Backend> backends_;  // by pid
  std::deque<Wait> waits_;                         // oldest first
};

}  // namespace ectoscope
