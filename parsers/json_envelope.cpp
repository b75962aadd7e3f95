#include "parsers/json_envelope.h"

#include <algorithm>

#include "parsers/json_text.h"

namespace ectoscope {
namespace {

/// Stands between two objects.
bool is_between(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == '[' || c == ']';
}

/// Where the object that `bytes` begin with ends.  A line that begins with a brace while an object
/// is open is the next one's first: the open one broke off, as does one with a raw line break in a
/// string.
Frame find_end(std::string_view bytes) {
  bool in_string = false;
  size_t depth = 0;
  for (size_t at = 0; at < bytes.size(); ++at) {
    const char c = bytes[at];
    if (in_string) {
      if (c == '\n') return {at + 1, true};
      if (c == '\\') ++at;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '\n' && bytes.substr(at + 1).starts_with('{')) return {at + 1, true};
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return {at + 1, false};
  }
  return {0, false};
}

}  // namespace

Frame ObjectEnvelope::frame(std::string_view bytes) const {
  const auto* const begin = std::find_if_not(bytes.begin(), bytes.end(), is_between);
  const auto length = static_cast<size_t>(begin - bytes.begin());
  if (length != 0) return {length, false};
  if (bytes[0] == '{') return find_end(bytes);
  const size_t newline = bytes.find('\n');
  return {newline == std::string_view::npos ? 0 : newline + 1, true};
}

Opened ObjectEnvelope::open(std::string_view entry, Wrapped& out) {
  if (is_between(entry[0])) return Opened::kNothing;
  begin();
  JsonMembers members(entry);
  while (members.next())
    take(members, out);
  return members.whole() ? finish(out) : Opened::kBroken;
}

std::string_view unescape_json(std::string_view text, std::string& scratch) {
  if (text.find('\\') == std::string_view::npos) return text;
  if (scratch.size() < text.size()) scratch.resize(text.size());
  const char* const end = unescape_json(text, scratch.data());
  return {scratch.data(), static_cast<size_t>(end - scratch.data())};
}

int64_t whole_number(std::string_view text) {
  constexpr size_t kMost = 18;
  int64_t number = 0;
  if (text.size() > kMost) return 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return 0;
    number = number * 10 + (c - '0');
  }
  return number;
}

}  // namespace ectoscope
