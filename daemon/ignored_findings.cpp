#include "daemon/ignored_findings.h"

#include <utility>

namespace ectoscope {

IgnoredFindings::IgnoredFindings(std::vector<IgnoreRule> configured)
    : configured_(std::move(configured)), rules_(configured_) {}

void IgnoredFindings::configure(std::vector<IgnoreRule> configured) {
  configured_ = std::move(configured);
  renew();
}

void IgnoredFindings::from_pages(std::vector<IgnoreRule> rules) {
  const std::lock_guard lock(mutex_);
  news_ = std::move(rules);
}

bool IgnoredFindings::take_news() {
  {
    const std::lock_guard lock(mutex_);
    if (!news_) return false;
    pages_ = std::move(*std::exchange(news_, std::nullopt));
  }
  renew();
  return true;
}

void IgnoredFindings::renew() {
  std::vector<IgnoreRule> rules = configured_;
  rules.insert(rules.end(), pages_.begin(), pages_.end());
  rules_ = IgnoreList(std::move(rules));
}

void IgnoredFindings::hide(std::vector<std::shared_ptr<const TrackedFinding>>& findings,
                           ServerState& state, const QueryTable& queries, EventTime now) const {
  const auto all = findings;
  auto ignoring = std::make_shared<Ignoring>(rules_.take_from(findings, now));
  statements_.fill(queries, *ignoring);
  auto kept = findings.begin();
  for (const auto& tracked : all) {
    if (kept != findings.end() && *kept == tracked) {
      ++kept;
    } else {
      state.ignored[{tracked->finding.database, tracked->finding.kind}] +=
          tracked->total_occurrences;
    }
  }
  state.ignoring = std::move(ignoring);
}

}  // namespace ectoscope
