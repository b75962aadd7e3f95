#include "findings/ignore_list.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "core/glob.h"

namespace ectoscope {
namespace {

bool expired(const IgnoreRule& rule, EventTime now) {
  return rule.expires && now >= *rule.expires;
}

bool fits(const IgnoreRule& rule, const Finding& finding) {
  const auto equal = [](const std::string& wanted, const std::string& found) {
    return wanted.empty() || wanted == found;
  };
  if (!equal(rule.id, finding.id) || !equal(rule.kind, finding.kind)) return false;
  if (!equal(rule.fingerprint, finding.query.fingerprint)) return false;
  if (!rule.table.empty() &&
      (finding.tables.empty() || !glob_matches(rule.table, finding.tables[0]))) {
    return false;
  }
  if (rule.route.empty()) return true;
  return !finding.routes.empty() &&
         std::all_of(finding.routes.begin(), finding.routes.end(),
                     [&rule](const auto& it) { return glob_matches(rule.route, it.first); });
}

}  // namespace

const IgnoreRule* IgnoreList::covering(const Finding& finding, EventTime now) const {
  const auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const IgnoreRule& it) {
    return !expired(it, now) && fits(it, finding);
  });
  return rule == rules_.end() ? nullptr : &*rule;
}

void IgnoreList::apply(AnalysisReport& report, EventTime now) const {
  std::vector<Finding> kept;
  std::set<const IgnoreRule*> used;
  for (Finding& finding : report.findings) {
    if (const IgnoreRule* rule = covering(finding, now)) {
      used.insert(rule);
      report.ignoring.findings.push_back({std::move(finding), *rule});
    } else {
      kept.push_back(std::move(finding));
    }
  }
  report.findings = std::move(kept);
  for (const IgnoreRule& rule : rules_) {
    if (expired(rule, now)) {
      report.ignoring.expired.push_back(rule);
    } else if (!used.contains(&rule)) {
      report.ignoring.unused.push_back(rule);
    }
  }
}

}  // namespace ectoscope
