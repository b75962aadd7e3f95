// `ignore:`, in the configuration and in the file that lives in an application's repository.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/yaml_reader.h"
#include "core/ignore_rule.h"
#include "core/result.h"

namespace ectoscope {

inline constexpr std::string_view kIgnoreFile = ".ectoscope.yaml";

/// Reads the list at `node`.  A rule without a reason or a selector is a problem.
void read_ignore_rules(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                       const SettingsTables& tables, std::vector<IgnoreRule>& rules);

/// Reads a file with `ignore:` alone in it.  Errors as parse_config()'s.
Result<std::vector<IgnoreRule>> parse_ignore_file(std::string_view text, const std::string& name,
                                                  const SettingsTables& tables);

}  // namespace ectoscope
