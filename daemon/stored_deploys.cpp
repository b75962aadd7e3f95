#include "daemon/stored_deploys.h"

#include <algorithm>
#include <chrono>

#include "daemon/time_argument.h"

namespace ectoscope {

Result<Deploy> StoredDeploys::record(const std::string& version, const std::string& application,
                                     const std::string& time) {
  Deploy deploy{clock_.wall(), version, application};
  if (!time.empty()) {
    const auto at = parse_time_argument(time);
    if (!at) return Error{"time: not a time like 2026-11-22T08:27:00Z"};
    if (*at > clock_.wall() + std::chrono::minutes(5)) return Error{"time: is still to come"};
    deploy.at = *at;
  }
  const std::vector<Deploy> known = store_.deploys();
  const auto last = std::find_if(known.begin(), known.end(), [&](const Deploy& other) {
    return other.application == deploy.application && other.at <= deploy.at;
  });
  if (last != known.end() && last->version == deploy.version) return *last;
  store_.deployed(deploy);
  return deploy;
}

}  // namespace ectoscope
