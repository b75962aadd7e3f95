// `servers: [{postgres: ...}]`: the connection to a server.
#pragma once

#include <span>
#include <string>

#include "config/config.h"
#include "config/settings.h"
#include "config/yaml_reader.h"

namespace ectoscope {

/// `dsn`; in a file of its own as `dsn_file`.
const TextSpec& dsn_setting();
/// The rest.
std::span<const OptionSpec> postgres_numbers();

void read_postgres(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                   PostgresConfig& postgres);

}  // namespace ectoscope
