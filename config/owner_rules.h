// `owners:`: which team findings belong to.
#pragma once

#include <string>
#include <vector>

#include "config/yaml_reader.h"
#include "core/owner_rule.h"

namespace ectoscope {

/// Reads the list at `node`.  A rule without a team or a glob is a problem.
void read_owner_rules(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                      std::vector<OwnerRule>& rules);

}  // namespace ectoscope
