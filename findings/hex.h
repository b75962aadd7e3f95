// Fingerprints as reports write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ectoscope {

/// 16 lower-case digits.
inline std::string hex16(uint64_t number) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, number >>= 4U)
    *digit = kHex[number & 0xFU];
  return text;
}

}  // namespace ectoscope
