// `alerting:`: who is told of findings.
#pragma once

#include <span>
#include <string>

#include "config/config.h"
#include "config/settings.h"
#include "config/yaml_reader.h"

namespace ectoscope {

/// Of an entry of `alertmanagers`.
std::span<const TextSpec> alertmanager_texts();
std::span<const OptionSpec> alertmanager_numbers();

/// Beside `alertmanagers`.
const TextSpec& min_severity_setting();
const TextSpec& critical_setting();
const TextSpec& external_label_setting();
std::span<const OptionSpec> alerting_numbers();

/// With its default for each setting, and no Alertmanager.
AlertingConfig default_alerting();

void read_alerting(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                   const SettingsTables& tables, AlertingConfig& alerting);

}  // namespace ectoscope
