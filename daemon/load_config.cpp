#include "daemon/load_config.h"

#include <cstdlib>

#include "daemon/pipeline.h"
#include "daemon/read_file.h"

namespace ectoscope {

Result<Config> load_config(Files& files, const std::string& path) {
  constexpr size_t kMostBytes = size_t{1} << 20U;  // parse_config() refuses what is longer
  if (path.empty()) return Config::defaults(settings_tables());
  const auto text = read_whole_file(files, path, kMostBytes);
  if (!text.ok()) return text.error();
  ConfigSources sources;
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody sets it
    if (value == nullptr) return std::nullopt;
    return value;
  };
  sources.file = [&files](const std::string& file) {
    constexpr size_t kMostSecret = size_t{64} * 1024;
    return read_whole_file(files, file, kMostSecret);
  };
  return parse_config(text.value(), path, settings_tables(), sources);
}

}  // namespace ectoscope
