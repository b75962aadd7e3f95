// What rules take out of a server's findings: the configuration's, and those made on the pages.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/execution.h"
#include "core/ignore_rule.h"
#include "core/query.h"
#include "core/snapshot.h"
#include "findings/ignore_list.h"
#include "findings/ignored_statements.h"

namespace ectoscope {

/// Threads: one at a time, but for from_pages().
class IgnoredFindings {
 public:
  explicit IgnoredFindings(std::vector<IgnoreRule> configured);

  /// In place of the configuration's before.
  void configure(std::vector<IgnoreRule> configured);
  /// In place of the pages' before.  Threads: any.
  void from_pages(std::vector<IgnoreRule> rules);
  /// True when the pages' rules are others now.
  bool take_news();

  /// A statement with an ectoscope:ignore comment.
  void add(const Execution& execution, const std::string& database) {
    statements_.add(execution, database);
  }

  /// Takes what is covered out of `findings`; `state` tells of it.
  void hide(std::vector<std::shared_ptr<const TrackedFinding>>& findings, ServerState& state,
            const QueryTable& queries, EventTime now) const;

 private:
  void renew();

  std::vector<IgnoreRule> configured_;
  std::vector<IgnoreRule> pages_;
  IgnoreList rules_;
  IgnoredStatements statements_;
  std::mutex mutex_;
  std::optional<std::vector<IgnoreRule>> news_;  // of the pages
};

}  // namespace ectoscope
