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

/// \uXXXX as UTF-8; returns how many bytes of `text` (after the \u) were used.  What is no code
/// point becomes a question mark.
size_t append_code_point(const char* text, const char* end, char*& out) {
  const auto unit = [&](const char* digits) {
    if (end - digits < 4) return -1;
    int value = 0;
    for (int i = 0; i < 4; ++i) {
      const int digit = hex_digit(digits[i]);
      if (digit < 0) return -1;
      value = value * 16 + digit;
    }
    return value;
  };
  const int first = unit(text);
  if (first < 0) {
    *out++ = '?';
    return 0;
  }
  auto code = static_cast<uint32_t>(first);
  size_t used = 4;
  if (code >= 0xD800 && code < 0xDC00 && end - text >= 10 && text[4] == '\\' && text[5] == 'u') {
    const int second = unit(text + 6);
    if (second >= 0xDC00 && second < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10U) + (static_cast<uint32_t>(second) - 0xDC00);
      used = 10;
    }
  }
  const auto put = [&](uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6U);
    put(0x80 | (code & 0x3FU));
  } else if (code >= 0xD800 && code < 0xE000) {
    put('?');
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12U);
    put(0x80 | (code >> 6U & 0x3FU));
    put(0x80 | (code & 0x3FU));
  } else {
    put(0xF0 | code >> 18U);
    put(0x80 | (code >> 12U & 0x3FU));
    put(0x80 | (code >> 6U & 0x3FU));
    put(0x80 | (code & 0x3FU));
  }
  return used;
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
      at += append_code_point(at, end, out);
    else
      *out++ = unescaped(slash[1]);
  }
  return out;
}

}  // namespace ectoscope
