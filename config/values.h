// Text of settings to numbers and back.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/options.h"
#include "core/result.h"

namespace ectoscope {

/// The value in the unit of Options (microseconds, bytes, 0 or 1), or what is wrong with it:
/// "'one' is not an integer from 2 to 10000; the default is 5".
Result<double> parse_value(const OptionSpec& spec, std::string_view text);

/// As parse_value() reads it: "250ms", "16MiB", "0.8", "true".
std::string show_value(OptionSpec::Type type, double value);

/// What may be written: "an integer from 2 to 10000".
std::string show_allowed(const OptionSpec& spec);

/// `text` in quotes, shortened and without control characters: for messages.
std::string in_quotes(std::string_view text);

/// The candidate that `key` was probably meant to be; nothing when none is near.
std::optional<std::string_view> nearest(std::string_view key,
                                        std::span<const std::string_view> candidates);

}  // namespace ectoscope
