// What came to light of an occurrence after it had been reported.
#pragma once

#include <string_view>

#include "core/query.h"
#include "core/time.h"

namespace ectoscope {

/// Of an execution that was observed.  Where its example is no longer kept, the evidence counts
/// alone.
struct Amendment {
  QueryId query = kNoQuery;
  EventTime started_at;  // as observed; with the pid it names the example
  int32_t pid = 0;
  EventTime ended_at;         // instead of the one observed
  std::string_view evidence;  // its name, static, with the unit
  double value = 0;
};

}  // namespace ectoscope
