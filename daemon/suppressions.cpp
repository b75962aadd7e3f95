#include "daemon/suppressions.h"

#include <filesystem>
#include <utility>

#include "config/ignore_rules.h"
#include "daemon/analysis.h"
#include "daemon/read_file.h"

namespace ectoscope {

Result<std::vector<IgnoreRule>> load_ignore_file(Files& files, const std::string& path) {
  constexpr size_t kMostBytes = size_t{1} << 20U;  // the parser refuses what is longer
  const auto text = read_whole_file(files, path, kMostBytes);
  if (!text.ok()) return text.error();
  return parse_ignore_file(text.value(), path, settings_tables());
}

Result<Suppressions> load_suppressions(Files& files, const Config& config,
                                       const AnalyzeArguments& arguments) {
  constexpr size_t kMostBaselineBytes = size_t{16} << 20U;
  Suppressions loaded;
  std::vector<IgnoreRule> rules = config.ignore();
  if (!rules.empty()) loaded.files.push_back(arguments.config_file);
  std::string path = arguments.ignore_file;
  std::error_code error;
  if (path.empty() && std::filesystem::exists(kIgnoreFile, error)) path = kIgnoreFile;
  if (!path.empty()) {
    auto from_file = load_ignore_file(files, path);
    if (!from_file.ok()) return from_file.error();
    rules.insert(rules.end(), from_file.value().begin(), from_file.value().end());
    loaded.files.push_back(path);
  }
  loaded.rules = IgnoreList(std::move(rules));
  if (arguments.baseline.empty()) return loaded;
  const auto text = read_whole_file(files, arguments.baseline, kMostBaselineBytes);
  if (!text.ok()) {
    return Error{"ectoscope analyze: " + text.error().message +
                 "\nA baseline is written with --write-baseline=" + arguments.baseline};
  }
  auto baseline = parse_baseline(text.value(), arguments.baseline);
  if (!baseline.ok()) return baseline.error();
  loaded.baseline = std::move(baseline.value());
  return loaded;
}

}  // namespace ectoscope
