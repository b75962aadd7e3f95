#include "daemon/load_config.h"

#include "daemon/pipeline.h"
#include "daemon/read_file.h"

namespace ectoscope {

Result<Config> load_config(Files& files, const std::string& path) {
  constexpr size_t kMostBytes = size_t{1} << 20U;  // parse_config() refuses what is longer
  if (path.empty()) return Config::defaults(settings_tables());
  const auto text = read_whole_file(files, path, kMostBytes);
  if (!text.ok()) return text.error();
  return parse_config(text.value(), path, settings_tables());
}

}  // namespace ectoscope
