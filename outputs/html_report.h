// The report as one HTML file that needs nothing else: no script, no font, no network.
#pragma once

#include <ostream>
#include <string_view>

#include "core/query.h"
#include "core/report.h"

namespace ectoscope {

/// All findings with all they have, folded; light or dark as the reader's system is.  `queries`
/// names the steps of the waterfalls.  Equal reports are equal bytes.  Write errors are left in
/// `out`'s state.
void write_html_report(const AnalysisReport& report, const QueryTable& queries,
                       std::string_view version, std::ostream& out);

}  // namespace ectoscope
