// The configuration that a command runs with.
#pragma once

#include <string>

#include "config/config.h"
#include "core/files.h"
#include "core/result.h"

namespace ectoscope {

/// Reads and validates `path`; the defaults when it is empty.
Result<Config> load_config(Files& files, const std::string& path);

}  // namespace ectoscope
