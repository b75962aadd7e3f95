#include "config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <system_error>
#include <vector>

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

struct Unit {
  std::string_view name;
  double size;
};

// Largest first: show_value() takes the first that divides.
constexpr std::array kDurationUnits = {
    Unit{"d", 86'400e6}, Unit{"h", 3'600e6}, Unit{"m", 60e6},
    Unit{"s", 1e6},      Unit{"ms", 1e3},    Unit{"us", 1},
};
constexpr std::array kByteUnits = {
    Unit{"GiB", 1024.0 * 1024 * 1024},
    Unit{"MiB", 1024.0 * 1024},
    Unit{"KiB", 1024},
    Unit{"B", 1},
};

std::span<const Unit> units_of(Type type) {
  if (type == Type::kDuration) return kDurationUnits;
  return kByteUnits;
}

bool digit(char c) {
  return c >= '0' && c <= '9';
}

/// Plain decimal notation; no sign but '-', no exponent, no leading zero that could mean octal.
std::optional<double> parse_number(std::string_view text, bool fraction) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || !digit(digits.front()) || !digit(digits.back())) return std::nullopt;
  if (digits.size() > 1 && digits[0] == '0' && digit(digits[1])) return std::nullopt;
  const auto dots = std::count(digits.begin(), digits.end(), '.');
  if (dots > (fraction ? 1 : 0)) return std::nullopt;
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return digit(c) || c == '.'; })) {
    return std::nullopt;
  }
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_with_unit(std::string_view text, Type type) {
  const size_t end = text.find_last_of("0123456789");
  if (end == std::string_view::npos) return std::nullopt;
  const auto number = parse_number(text.substr(0, end + 1), true);
  if (!number) return std::nullopt;
  const std::string_view unit = text.substr(end + 1);
  if (unit.empty() && *number == 0) return 0;
  for (const Unit& known : units_of(type)) {
    if (known.name == unit) return std::round(*number * known.size);
  }
  return std::nullopt;
}

std::optional<double> parse_any(Type type, std::string_view text) {
  switch (type) {
    case Type::kInteger:
      return parse_number(text, false);
    case Type::kRatio:
      return parse_number(text, true);
    case Type::kBoolean:
      if (text == "true") return 1;
      if (text == "false") return 0;
      return std::nullopt;
    case Type::kDuration:
    case Type::kBytes:
      return parse_with_unit(text, type);
  }
  return std::nullopt;
}

std::string plain(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return error == std::errc{} ? std::string(buffer.data(), end) : std::string("0");
}

size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

Result<double> parse_value(const OptionSpec& spec, std::string_view text) {
  const auto value = parse_any(spec.type, text);
  if (value && *value >= spec.min && *value <= spec.max) return *value;
  if (value && spec.type == Type::kBoolean) return *value;
  return Error{in_quotes(text) + " is not " + show_allowed(spec) + "; the default is " +
               show_value(spec.type, spec.fallback)};
}

std::string show_value(Type type, double value) {
  if (type == Type::kBoolean) return value != 0 ? "true" : "false";
  if (type == Type::kInteger || type == Type::kRatio) return plain(value);
  if (value == 0) return "0";
  const auto units = units_of(type);
  for (const Unit& unit : units) {
    if (std::fmod(value, unit.size) == 0) return plain(value / unit.size) + std::string(unit.name);
  }
  return plain(value) + std::string(units.back().name);
}

std::string show_allowed(const OptionSpec& spec) {
  const auto range = [&spec] {
    return " from " + show_value(spec.type, spec.min) + " to " + show_value(spec.type, spec.max);
  };
  switch (spec.type) {
    case Type::kInteger:
      return "an integer" + range();
    case Type::kRatio:
      return "a number" + range();
    case Type::kDuration:
      return "a duration" + range() + " (with us, ms, s, m, h or d)";
    case Type::kBytes:
      return "a size" + range() + " (with B, KiB, MiB or GiB)";
    case Type::kBoolean:
      break;
  }
  return "true or false";
}

std::string in_quotes(std::string_view text) {
  constexpr size_t kShown = 60;
  std::string shown = "'";
  for (const char c : text.substr(0, kShown)) {
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  if (text.size() > kShown) shown += "...";
  return shown + "'";
}

std::optional<std::string_view> nearest(std::string_view key,
                                        std::span<const std::string_view> candidates) {
  constexpr size_t kLongest = 80;  // a key that long is no slip of the finger
  if (key.size() > kLongest) return std::nullopt;
  std::optional<std::string_view> best;
  size_t least = std::max<size_t>(2, key.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const size_t changes = distance(key, candidate);
    if (changes < least && changes < candidate.size()) {
      least = changes;
      best = candidate;
    }
  }
  return best;
}

}  // namespace ectoscope
