// A finding's occurrences by hour.
#pragma once

#include <vector>

#include "core/control.h"
#include "outputs/html.h"

namespace ectoscope {

/// The last week up to `now` at most, hours without an occurrence included.  Writes nothing when
/// there is no history.
void write_history(HtmlWriter& html, const std::vector<Control::HistoryHour>& history,
                   EventTime now);

}  // namespace ectoscope
