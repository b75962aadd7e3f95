// The report as JSON, schema 1.
#pragma once

#include <ostream>
#include <string_view>

#include "core/report.h"

namespace ectoscope {

/// Key order, white space and numbers are fixed: equal reports are equal bytes.  Write errors are
/// left in `out`'s state.
void write_json_report(const AnalysisReport& report, std::string_view version, std::ostream& out);

}  // namespace ectoscope
