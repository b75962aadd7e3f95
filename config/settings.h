// The settings that belong to no detector: their tables, as core/options.h has them for numbers.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "core/options.h"

namespace ectoscope {

/// A setting that is text.
struct TextSpec {
  std::string_view key;
  std::string_view fallback;
  std::string_view allowed;                     // for messages: "one of auto, stderr, ..."
  bool (*accepts)(std::string_view) = nullptr;  // never null
  std::string_view help;
};

inline constexpr std::string_view kServerKey = "server";

/// `server`, the one setting that stands at the top.
const TextSpec& server_setting();

/// `input:`, its text and its numbers.
std::span<const TextSpec> input_texts();
std::span<const OptionSpec> input_numbers();

/// `limits:`
std::span<const OptionSpec> limit_numbers();

/// `enabled:` of every detector.
const OptionSpec& enabled_setting();

}  // namespace ectoscope
