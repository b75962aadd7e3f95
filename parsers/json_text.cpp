#include "parsers/json_text.h"

#include <cstdint>
#include <cstring>

#include "parsers/byte_scan.h"

namespace ectoscope {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr size_t kUnitDigits = 4;

bool is_high_surrogate(int unit) {
  return unit >= 0xD800 && unit < 0xDC00;
}

bool is_low_surrogate(int unit) {
  return unit >= 0xDC00 && unit < 0xE000;
}

/// The four hex digits at the front; negative when they are not there.
int read_unit(std::string_view text) {
  if (text.size() < kUnitDigits) return -1;
  int unit = 0;
  for (const char c : text.substr(0, kUnitDigits)) {
    const int digit = hex_digit(c);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

void put_utf8(uint32_t code, char*& out) {
  const auto put = [&](uint32_t byte) { *out++ = static_cast<char>(byte); };
  const auto put_tail = [&](uint32_t bits) { put(0x80U | (bits & 0x3FU)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0U | code >> 6U);
    return put_tail(code);
  }
  if (code < 0x10000) {
    put(0xE0U | code >> 12U);
  } else {
    put(0xF0U | code >> 18U);
    put_tail(code >> 12U);
  }
  put_tail(code >> 6U);
  put_tail(code);
}

/// \uXXXX as UTF-8; `text` begins behind the \u.  Returns how many of its bytes were used.
size_t put_code_point(std::string_view text, char*& out) {
  const int first = read_unit(text);
  if (first < 0) {
    *out++ = '?';
    return 0;
  }
  if (is_high_surrogate(first) && text.substr(kUnitDigits).starts_with("\\u")) {
    const int second = read_unit(text.substr(kUnitDigits + 2));
    if (is_low_surrogate(second)) {
      put_utf8(0x10000U + (static_cast<uint32_t>(first - 0xD800) << 10U) +
                   static_cast<uint32_t>(second - 0xDC00),
               out);
      return 2 * kUnitDigits + 2;
    }
  }
  const bool lone = is_high_surrogate(first) || is_low_surrogate(first);
  put_utf8(lone ? uint32_t{'?'} : static_cast<uint32_t>(first), out);
  return kUnitDigits;
}

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    default:
      return c;
  }
}

}  // namespace

char* unescape_json(std::string_view text, char* out) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const char* const slash = find_near(at, end, '\\');
    std::memcpy(out, at, static_cast<size_t>(slash - at));
    out += slash - at;
    if (end - slash < 2) break;
    at = slash + 2;
    if (slash[1] == 'u')
      at += put_code_point({at, end}, out);
    else
      *out++ = unescaped(slash[1]);
  }
  return out;
}

}  // namespace ectoscope
