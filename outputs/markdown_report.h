// The report as a comment on a pull request.
#pragma once

#include <ostream>

#include "core/report.h"

namespace ectoscope {

/// GitHub's and GitLab's Markdown: the gate, a table, costliest first, and the details folded.
/// Short enough for a comment (65,536 characters): what is left out is counted.  Equal reports are
/// equal bytes.  Write errors are left in `out`'s state.
void write_markdown_report(const AnalysisReport& report, std::ostream& out);

/// Text that Markdown takes for nothing else, on one line.
std::string markdown_escaped(std::string_view text);

}  // namespace ectoscope
