// The report as SARIF 2.1.0, for code scanning.
#pragma once

#include <ostream>
#include <string_view>

#include "core/report.h"

namespace ectoscope {

/// One result a finding, with its id as partial fingerprint; ignored ones are suppressed results,
/// what the baseline has is unchanged.  A result has a place in the code where comments name one.
/// Equal reports are equal bytes.  Write errors are left in `out`'s state.
void write_sarif_report(const AnalysisReport& report, std::string_view version, std::ostream& out);

}  // namespace ectoscope
