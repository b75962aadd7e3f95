// Sums the temporary files of a statement: the log has a line for each of them, before its end.
// Those of its parallel workers are under other pids and no database.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "core/execution.h"
#include "core/incident.h"

namespace ectoscope {

/// Threads: one at a time.  Bounded in backends.
class TempFileLinker {
 public:
  using Sink = std::function<void(const Incident&)>;

  explicit TempFileLinker(Sink sink) : sink_(std::move(sink)) {}

  /// Executions and incidents in the order of the log.
  void add(std::span<const Execution> executions);
  /// Of IncidentKind::kTempFile.
  void add(const Incident& incident);

  /// The input ends: gives out what is kept.
  void finish();

 private:
  static constexpr size_t kMaxBackends = 1024;
  static constexpr Micros kLongestWait{10'000'000};  // for the statement's own record

  void give_out_old(EventTime now);
  bool take_own(const Execution& execution, Incident& files);
  bool take_workers(const Execution& execution, bool any, Incident& files);

  Sink sink_;
  std::map<int32_t, Incident> open_;  // by pid
  std::vector<Incident> workers_;     // each of one file
};

}  // namespace ectoscope
