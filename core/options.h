// A detector's settings: declared as a table, read as typed values.
//
// The table is the one source for the loader's checks, its messages, the example configuration's
// test and the documentation.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "core/time.h"

namespace ectoscope {

/// One setting.  Durations are written with a unit in YAML (250ms, 30s, 5m, 24h) and are held in
/// microseconds here; sizes so too (64KiB, 16MiB), in bytes; ratios and numbers are plain.
struct OptionSpec {
  enum class Type : uint8_t { kInteger, kRatio, kDuration, kBoolean, kBytes };

  std::string_view key;
  Type type = Type::kInteger;
  double fallback = 0;  // the default; microseconds for durations, 0 or 1 for booleans
  double min = 0;       // both bounds are allowed values
  double max = 0;
  std::string_view help;  // one sentence: what it does, and when to change it
};

/// Values for one table, each within its bounds.  A key that was not set has its default.
class Options {
 public:
  explicit Options(std::span<const OptionSpec> specs) {
    for (const OptionSpec& spec : specs)
      values_.emplace(spec.key, spec.fallback);
  }

  /// The caller has checked type and bounds.  False when there is no such key.
  bool set(std::string_view key, double value) {
    const auto found = values_.find(key);
    if (found == values_.end()) return false;
    found->second = value;
    return true;
  }

  // A key that the table lacks is a bug in the detector: std::out_of_range.
  [[nodiscard]] int64_t integer(std::string_view key) const {
    return static_cast<int64_t>(at(key));
  }
  [[nodiscard]] double ratio(std::string_view key) const { return at(key); }
  [[nodiscard]] bool boolean(std::string_view key) const { return at(key) != 0; }
  [[nodiscard]] Micros duration(std::string_view key) const {
    return Micros(static_cast<int64_t>(at(key)));
  }

  bool operator==(const Options&) const = default;

 private:
  [[nodiscard]] double at(std::string_view key) const { return values_.at(std::string(key)); }

  std::map<std::string, double, std::less<>> values_;
};

}  // namespace ectoscope
