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
const TextSpec& tenant_schema_setting();  // of each in a list
std::span<const OptionSpec> input_numbers();

/// `limits:`
std::span<const OptionSpec> limit_numbers();

/// `servers:`, those that are text and stand once; `logs` and `databases` are lists.
const TextSpec& server_name_setting();
const TextSpec& start_at_setting();
const TextSpec& log_pattern_setting();
const TextSpec& database_name_setting();

/// `state:`
const TextSpec& state_directory_setting();
const OptionSpec& state_keep_setting();

/// `web:`
const TextSpec& listen_address_setting();
const TextSpec& trace_url_setting();
const TextSpec& external_url_setting();
const OptionSpec& series_budget_setting();

/// `max_event_age`, at the top.
const OptionSpec& max_event_age_setting();

/// Whether it is http or https with a host, and without credentials, query and fragment.
bool plain_url(std::string_view text);

/// `enabled:` of every detector.
const OptionSpec& enabled_setting();

}  // namespace ectoscope
