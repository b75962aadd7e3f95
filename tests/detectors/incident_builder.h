// Incidents for the detectors' tests.
#pragma once

#include "trace_builder.h"

namespace ectoscope {

/// A moment of these tests, `ms` after an arbitrary one.
inline EventTime moment(int64_t ms) {
  return EventTime(std::chrono::seconds(1'700'000'000)) + std::chrono::milliseconds(ms);
}

/// Of pid 10, at moment(0).
inline Incident incident(IncidentKind kind, QueryId query = kNoQuery) {
  Incident one;
  one.kind = kind;
  one.query = query;
  one.pid = 10;
  one.session = 10;
  one.at = moment(0);
  one.started_at = one.at;
  return one;
}

}  // namespace ectoscope
