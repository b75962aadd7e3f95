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

template <typename Item, typename FindingOf>
Ignoring split(const IgnoreList& list, std::vector<Item>& items, EventTime now,
               const FindingOf& finding_of) {
  Ignoring ignoring;
  std::set<const IgnoreRule*> used;
  std::erase_if(items, [&](const Item& item) {
    const IgnoreRule* rule = list.covering(finding_of(item), now);
    if (rule == nullptr) return false;
    used.insert(rule);
    ignoring.findings.push_back({finding_of(item), *rule});
    return true;
  });
  for (const IgnoreRule& rule : list.rules()) {
    if (expired(rule, now)) {
      ignoring.expired.push_back(rule);
    } else if (!used.contains(&rule)) {
      ignoring.unused.push_back(rule);
    }
  }
  return ignoring;
}

}  // namespace

const IgnoreRule* IgnoreList::covering(const Finding& finding, EventTime now) const {
  const auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const IgnoreRule& it) {
    return !expired(it, now) && fits(it, finding);
  });
  return rule == rules_.end() ? nullptr : &*rule;
}

Ignoring IgnoreList::take_from(std::vector<Finding>& findings, EventTime now) const {
  return split(*this, findings, now, [](const Finding& it) -> const Finding& { return it; });
}

Ignoring IgnoreList::take_from(std::vector<std::shared_ptr<const TrackedFinding>>& findings,
                               EventTime now) const {
  return split(*this, findings, now, [](const auto& it) -> const Finding& { return it->finding; });
}

}  // namespace ectoscope
