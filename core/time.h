// Time as the database's log tells it.
//
// Event time is UTC and in microseconds throughout; wall time is never read here.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace ectoscope {

using Micros = std::chrono::microseconds;

/// A moment of event time: the log's stamp, converted to UTC.
using EventTime = std::chrono::sys_time<Micros>;

/// RFC 3339 with microseconds, always in UTC: 2026-11-22T08:29:33.354000Z.
std::string format_rfc3339(EventTime at);

/// Milliseconds as a real number, for reports.
inline double to_ms(Micros time) {
  return static_cast<double>(time.count()) / 1000.0;
}

}  // namespace ectoscope
