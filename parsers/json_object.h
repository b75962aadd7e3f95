// One line of jsonlog, taken apart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ectoscope {

/// The keys whose values we use; kOther takes the rest.
enum class JsonKey : uint8_t {
  kTime,
  kUser,
  kDatabase,
  kPid,
  kHost,
  kSession,
  kVirtualXid,
  kSeverity,
  kSqlState,
  kMessage,
  kDetail,
  kHint,
  kContext,
  kStatement,
  kApplication,
  kQueryId,
  kOther
};

struct JsonValue {
  std::string_view text;  // between the quotes, or the number itself
  bool escaped = false;   // holds backslashes
};

struct JsonValues {
  std::array<JsonValue, static_cast<size_t>(JsonKey::kOther) + 1> values;

  JsonValue& operator[](JsonKey key) { return values[static_cast<size_t>(key)]; }
  const JsonValue& operator[](JsonKey key) const { return values[static_cast<size_t>(key)]; }
};

/// Reads the object that the line is, without its line break; false when it is none, or holds
/// another object or an array.  The views point into the line.
bool read_json_object(std::string_view line, JsonValues& values);

}  // namespace ectoscope
