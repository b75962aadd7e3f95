// The executions that grouping holds for one request.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/execution.h"

namespace ectoscope {

/// The rung of the grouping ladder that joined a trace's statements, strongest first.
enum class GroupedBy : uint8_t { kTraceparent, kTag, kTransaction, kChain, kNone };

/// "traceparent", "tag", "transaction", "chain", "none": as reports say it.
std::string_view name_of(GroupedBy rung);

/// How often one shape ran in a trace, also past the cap on kept executions: always exact.
struct ShapeTotal {
  QueryId query = kNoQuery;
  uint64_t executions = 0;
  Micros duration{0};
};

/// Threads, lifetime: made by grouping, lent to detectors for the length of one call.
struct Trace {
  uint64_t number = 0;  // grouping's own; the same in each judgement of one trace, unique in a run
  TraceId id;           // unknown unless the rung is traceparent
  GroupedBy grouped_by = GroupedBy::kNone;
  double confidence = 1.0;  // 0..1: how sure grouping is that these belong together
  double several = 0;  // 0..1: how likely its repeats of one key were several requests' at once
  StreamId stream = 0;
  uint32_t route = 0;                     // in the parser's Routes; 0: none
  bool truncated = false;                 // some executions were counted in `totals` only
  bool closed = true;                     // false: an early judgement; a later one replaces it
  std::span<const Execution> executions;  // as the log has them (by end), never empty
  std::span<const ShapeTotal> totals;     // by query id
};

}  // namespace ectoscope
