// Times as people write them on a command line.
#pragma once

#include <optional>
#include <string_view>

#include "core/time.h"

namespace ectoscope {

/// 2026-11-22, "2026-11-22 08:30", 2026-11-22T08:30:15.250Z, ...+02:00: date, then time to the
/// minute, second or microsecond, then the zone; UTC without one.  Nothing for all else, also for
/// dates that do not exist.
std::optional<EventTime> parse_time_argument(std::string_view text);

}  // namespace ectoscope
