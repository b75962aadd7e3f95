// What people chose to ignore from a finding's page.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/ignore_rule.h"
#include "core/result.h"

namespace ectoscope {

/// An ignore file of our own, `ignored.yaml` in the state directory: written whole at each change,
/// in the form of .ectoscope.yaml, so that its rules can be moved there.  Threads: one at a time.
class PageIgnores {
 public:
  /// Keeps nothing in a file where `directory` is empty.  `files` must outlive it.
  PageIgnores(Files& files, const std::string& directory);

  /// The error says why they can't be read; none are known then, and none can be added.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const std::vector<IgnoreRule>& rules() const { return rules_; }

  /// In place of what was said of this finding before.
  std::optional<Error> add(const std::string& finding_id, const std::string& by,
                           const std::string& why);
  /// False when there is no such rule.
  Result<bool> remove(const std::string& finding_id);

 private:
  std::optional<Error> keep(std::vector<IgnoreRule> rules);

  Files& files_;
  std::string path_;  // empty: in memory only
  std::string problem_;
  std::vector<IgnoreRule> rules_;
};

}  // namespace ectoscope
