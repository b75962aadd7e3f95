#include "findings/owner_list.h"

#include <algorithm>

#include "core/glob.h"

namespace ectoscope {
namespace {

bool fits(const OwnerRule& rule, const Finding& finding) {
  if (!rule.table.empty() &&
      (finding.tables.empty() || !glob_matches(rule.table, finding.tables[0]))) {
    return false;
  }
  const auto route_fits = [&rule](const auto& it) { return glob_matches(rule.route, it.first); };
  if (!rule.route.empty() &&
      std::none_of(finding.routes.begin(), finding.routes.end(), route_fits)) {
    return false;
  }
  const auto application_fits = [&rule](const std::string& it) {
    return glob_matches(rule.application, it);
  };
  return rule.application.empty() ||
         std::any_of(finding.applications.begin(), finding.applications.end(), application_fits);
}

}  // namespace

std::string OwnerList::team_of(const Finding& finding) const {
  const auto rule = std::find_if(rules_.begin(), rules_.end(),
                                 [&finding](const OwnerRule& it) { return fits(it, finding); });
  return rule == rules_.end() ? std::string() : rule->team;
}

}  // namespace ectoscope
