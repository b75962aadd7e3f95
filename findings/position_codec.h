// Ascending numbers as bytes: differences, seven bits a byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ectoscope {

inline std::string encode_positions(const std::vector<uint64_t>& ascending) {
  std::string bytes;
  uint64_t before = 0;
  for (const uint64_t position : ascending) {
    uint64_t step = position - before;
    for (; step >= 0x80; step >>= 7U)
      bytes.push_back(static_cast<char>(step | 0x80U));
    bytes.push_back(static_cast<char>(step));
    before = position;
  }
  return bytes;
}

/// What is no number at the end is left out.
inline std::vector<uint64_t> decode_positions(std::string_view bytes) {
  std::vector<uint64_t> positions;
  uint64_t before = 0;
  uint64_t step = 0;
  unsigned shift = 0;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (shift < 64) step |= uint64_t{byte & 0x7FU} << shift;
    shift += 7;
    if ((byte & 0x80U) != 0) continue;
    before += step;
    positions.push_back(before);
    step = 0;
    shift = 0;
  }
  return positions;
}

}  // namespace ectoscope
