// Which findings people decided not to hear of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/finding.h"
#include "core/ignore_rule.h"
#include "core/report.h"

namespace ectoscope {

/// Immutable: any thread.
class IgnoreList {
 public:
  explicit IgnoreList(std::vector<IgnoreRule> rules) : rules_(std::move(rules)) {}

  /// The first rule that covers the finding at `now`; null when none does.  A rule for a route
  /// covers it only when every route that it was seen in fits: what is known to be fine in one
  /// place is news in another.
  [[nodiscard]] const IgnoreRule* covering(const Finding& finding, EventTime now) const;

  /// Moves what is covered from `report.findings` to `report.ignoring`, and tells of rules that
  /// have expired or cover nothing.
  void apply(AnalysisReport& report, EventTime now) const;

  [[nodiscard]] const std::vector<IgnoreRule>& rules() const { return rules_; }

 private:
  std::vector<IgnoreRule> rules_;
};

}  // namespace ectoscope
