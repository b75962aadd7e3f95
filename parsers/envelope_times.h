// The stamps that envelopes have.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/time.h"

namespace ectoscope {

struct EnvelopeTime {
  EventTime at;
  bool coarse = false;
  size_t length = 0;  // bytes read; 0: there is no stamp
};

/// `2026-11-22T08:27:00.123456789+01:00` or `...Z` or `...+0100` at the front of the text.
EnvelopeTime read_rfc3339(std::string_view text);

/// `Nov 22 08:27:00`, with a fraction or without.  It has no year and no zone: the latest one that
/// is not after `now` (a day's grace), shifted by `offset`.
EnvelopeTime read_syslog_time(std::string_view text, EventTime now, std::chrono::seconds offset);

}  // namespace ectoscope
