// One order of ends for all formats of a log.
//
// Backends write their lines past each other: within one tick of the stamps their order is an
// accident, and another one in each format.
#pragma once

#include "core/execution.h"

namespace ectoscope {

/// A strict weak order.  Within a tick: what took a millisecond longer comes first (of two
/// statements of one request, the second began after the first ended), then the lower key (loops
/// mostly run upwards).  Stamps of whole seconds tell too little: there executions are equal, and
/// the log's own order is the better one.
inline bool ended_before(const Execution& a, const Execution& b) {
  if (a.ended_at != b.ended_at) return a.ended_at < b.ended_at;
  if (a.has(Execution::kCoarseTime) || b.has(Execution::kCoarseTime)) return false;
  const auto ms = [](const Execution& e) { return e.duration / Micros(1000); };
  if (ms(a) != ms(b)) return ms(a) > ms(b);
  if (a.key != b.key) return a.key < b.key;
  if (a.started_at != b.started_at) return a.started_at < b.started_at;
  return a.pid < b.pid;
}

}  // namespace ectoscope
