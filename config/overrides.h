// `overrides:`: other thresholds for some of the traffic.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/yaml_reader.h"

namespace ectoscope {

/// The list at `node`.  What an override does not name is as in `base`.
std::vector<OverrideConfig> read_overrides(YamlReader& yaml, const std::string& path,
                                           const YAML::Node& node, const SettingsTables& tables,
                                           const std::vector<DetectorConfig>& base);

/// Reads what stands under `detectors:` into `detectors`, which is in the order of the tables.
void read_detectors(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                    const SettingsTables& tables, std::vector<DetectorConfig>& detectors);

}  // namespace ectoscope
