#include "core/deploys.h"

#include <algorithm>

#include "core/finding.h"

namespace ectoscope {

const Deploy* deploy_before(const std::vector<Deploy>& deploys, const Finding& finding) {
  const auto found = std::find_if(deploys.begin(), deploys.end(), [&](const Deploy& deploy) {
    if (deploy.at > finding.first_seen) return false;
    return deploy.application.empty() ||
           std::find(finding.applications.begin(), finding.applications.end(),
                     deploy.application) != finding.applications.end();
  });
  return found == deploys.end() ? nullptr : &*found;
}

}  // namespace ectoscope
