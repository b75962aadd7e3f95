// Whose findings are.
#pragma once

#include <string>
#include <vector>

#include "core/finding.h"
#include "core/owner_rule.h"

namespace ectoscope {

/// Unchanging: any thread.
class OwnerList {
 public:
  OwnerList() = default;
  explicit OwnerList(std::vector<OwnerRule> rules) : rules_(std::move(rules)) {}

  /// By the first rule that fits; empty when none does.
  [[nodiscard]] std::string team_of(const Finding& finding) const;

  bool operator==(const OwnerList&) const = default;

 private:
  std::vector<OwnerRule> rules_;
};

}  // namespace ectoscope
