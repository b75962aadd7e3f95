// Which findings people decided not to hear of.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/finding.h"
#include "core/ignore_rule.h"
#include "core/ignoring.h"
#include "core/snapshot.h"

namespace ectoscope {

/// Unchanging: any thread.
class IgnoreList {
 public:
  explicit IgnoreList(std::vector<IgnoreRule> rules) : rules_(std::move(rules)) {}

  /// The first rule that covers the finding at `now`; null when none does.  A rule for a route
  /// covers it only when every route that it was seen in fits: what is known to be fine in one
  /// place is news in another.
  [[nodiscard]] const IgnoreRule* covering(const Finding& finding, EventTime now) const;

  /// Takes out of `findings` what is covered at `now`, and tells of rules that have expired or
  /// cover nothing.  What stays keeps its order.
  [[nodiscard]] Ignoring take_from(std::vector<Finding>& findings, EventTime now) const;
  [[nodiscard]] Ignoring take_from(std::vector<std::shared_ptr<const TrackedFinding>>& findings,
                                   EventTime now) const;

  [[nodiscard]] const std::vector<IgnoreRule>& rules() const { return rules_; }

 private:
  std::vector<IgnoreRule> rules_;
};

}  // namespace ectoscope
