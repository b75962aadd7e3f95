// What `analyze` is told to look away from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "core/files.h"
#include "core/result.h"
#include "daemon/command_line.h"
#include "findings/baseline.h"
#include "findings/ignore_list.h"

namespace ectoscope {

struct Suppressions {
  IgnoreList rules{{}};
  std::vector<std::string> files;  // that the rules were read from
  std::optional<Baseline> baseline;
};

/// Rules of the configuration, then of --ignore.file (.ectoscope.yaml in the working directory when
/// that is there and no other is named), and the baseline.
Result<Suppressions> load_suppressions(Files& files, const Config& config,
                                       const AnalyzeArguments& arguments);

/// Reads an ignore file.
Result<std::vector<IgnoreRule>> load_ignore_file(Files& files, const std::string& path);

}  // namespace ectoscope
