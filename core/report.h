// What one run of `ectoscope analyze` found, as the report formats take it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/finding.h"
#include "core/ignoring.h"

namespace ectoscope {

/// What the log's settings let us see.
struct InputFidelity {
  enum class Statements : uint8_t { kAll, kSampled, kSlowOnly, kNone };
  enum class TraceIds : uint8_t { kAll, kSome, kStale, kNone };

  Statements statements = Statements::kNone;
  bool parameters = false;
  bool plans = false;
  TraceIds trace_ids = TraceIds::kNone;
  std::vector<std::string> advice;  // "ALTER SYSTEM SET ..." lines, each with what it would show
};

struct InputFacts {
  uint64_t bytes = 0;  // after decompression
  uint64_t records = 0;
  uint64_t statements = 0;                   // executions
  uint64_t traces = 0;                       // closed, of any rung
  std::map<std::string, uint64_t> unparsed;  // by reason
  InputFidelity fidelity;
  std::optional<EventTime> last_event;  // the latest end of an execution
};

struct AnalysisReport {
  InputFacts input;
  std::vector<Finding> findings;  // costliest first
  Ignoring ignoring;
  std::optional<Gate> gate;        // when one was asked for
  std::optional<Explanation> why;  // likewise
};

}  // namespace ectoscope
