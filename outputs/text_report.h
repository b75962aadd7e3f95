// The report for a person at a terminal.
#pragma once

#include <cstdint>
#include <ostream>

#include "core/query.h"
#include "core/report.h"
#include "outputs/text_layout.h"

namespace ectoscope {

/// Findings in the report's order, the first `in_full` of them in full and the rest in a line or
/// two each, then what they come to and what the log hides.  `queries` names the steps of the
/// waterfalls.  Write errors are left in `out`'s state.
void write_text_report(const AnalysisReport& report, const QueryTable& queries,
                       const TextStyle& style, std::ostream& out, size_t in_full = SIZE_MAX);

}  // namespace ectoscope
