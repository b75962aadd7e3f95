// `--web.config.file`: exporter-toolkit's web configuration, so that what other exporters are given
// fits.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/web_access.h"

namespace ectoscope {

/// What is wrong with settings that are well written: files that can't be used, above all.
using TlsCheck = std::function<std::vector<KeyProblem>(const TlsSettings& settings)>;

/// Reads YAML.  `name` is the file's, for messages; paths in it are relative to its folder.  The
/// error holds every problem, also those that `check` has, a line each (`file:line:column: key:
/// what is wrong`), and never a password's hash.
Result<WebAccess> parse_web_config(std::string_view text, const std::string& name,
                                   const TlsCheck& check);

}  // namespace ectoscope
