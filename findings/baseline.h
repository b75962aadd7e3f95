// The findings that were there before: what a gate looks away from.
//
// A line each, so that it merges and reads well in a review: the id, then what it is, without
// numbers that would change from run to run.  What follows a '#' is for people only.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/report.h"
#include "core/result.h"

namespace ectoscope {

struct Baseline {
  std::map<std::string, std::string> entries;  // id, comment
};

/// Every problem at once, a line each (`file:line:column: what is wrong`).
Result<Baseline> parse_baseline(std::string_view text, const std::string& name);

/// The file for the report's findings, by id.  Ends in a line break.
std::string render_baseline(const AnalysisReport& report);

/// What the finding is, in words that stay the same while it does: "SELECT posts, after SELECT
/// users (database shop)".
std::string steady_summary(const Finding& finding);

}  // namespace ectoscope
