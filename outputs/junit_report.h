// The report as JUnit XML, for the test pages of a CI server.
#pragma once

#include <ostream>

#include "core/report.h"

namespace ectoscope {

/// One test case a finding, and one for the input.  With a gate what fails it is a failure, and
/// what the baseline has is skipped; without one all findings are failures.  Ignored ones are
/// skipped. Equal reports are equal bytes.  Write errors are left in `out`'s state.
void write_junit_report(const AnalysisReport& report, std::ostream& out);

}  // namespace ectoscope
