// Any bytes as a configuration: a value or a list of problems, never a crash.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ectoscope;
  static constexpr std::array kOptions = {
      OptionSpec{"min_repeats", OptionSpec::Type::kInteger, 5, 2, 10'000, ""},
      OptionSpec{"ratio", OptionSpec::Type::kRatio, 0.5, 0, 1, ""},
      OptionSpec{"quiet", OptionSpec::Type::kDuration, 1e6, 1, 1e9, ""},
      OptionSpec{"strict", OptionSpec::Type::kBoolean, 0, 0, 1, ""}};
  static const SettingsTables kTables = {kOptions, {{"slow_query", "Slow queries", kOptions}}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = parse_config(text, "f.yaml", kTables);
  if (!config.ok() && config.error().message.empty()) __builtin_trap();
  return 0;
}
