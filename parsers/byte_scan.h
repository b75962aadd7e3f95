// Sixty-four bytes at a time: where in them a byte stands, as a bit mask.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ectoscope {

inline constexpr size_t kScanWidth = 64;

/// Bit i is set where text[i] == byte.  All 64 bytes must be readable.
inline uint64_t byte_mask(const char* text, char byte) {
#if defined(__SSE2__)
  const __m128i wanted = _mm_set1_epi8(byte);
  uint64_t mask = 0;
  for (unsigned part = 0; part < 4; ++part) {
    const auto* source = reinterpret_cast<const __m128i*>(text + size_t{part} * 16);
    const __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128(source), wanted);
    mask |= uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(equal))} << (part * 16);
  }
  return mask;
#else
  uint64_t mask = 0;
  for (unsigned i = 0; i < kScanWidth; ++i)
    mask |= uint64_t{text[i] == byte} << i;
  return mask;
#endif
}

/// The first `byte` in [text, end), else end.  Made for short distances, where a call of memchr
/// costs more than the search.
inline const char* find_near(const char* text, const char* end, char byte) {
#if defined(__SSE2__)
  const __m128i wanted = _mm_set1_epi8(byte);
  while (end - text >= 16) {
    const __m128i equal =
        _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text)), wanted);
    const int mask = _mm_movemask_epi8(equal);
    if (mask != 0) return text + __builtin_ctz(static_cast<unsigned>(mask));
    text += 16;
  }
#endif
  while (text != end && *text != byte)
    ++text;
  return text;
}

/// Bit i is set where text[i] == byte, for 16 bytes, all readable.
inline uint32_t byte_mask16(const char* text, char byte) {
#if defined(__SSE2__)
  const __m128i source = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(source, _mm_set1_epi8(byte))));
#else
  uint32_t mask = 0;
  for (unsigned i = 0; i < 16; ++i)
    mask |= uint32_t{text[i] == byte} << i;
  return mask;
#endif
}

/// Bit i is the parity of the bits 0..i: after each quote, whether we are inside.
inline uint64_t running_parity(uint64_t bits) {
  bits ^= bits << 1U;
  bits ^= bits << 2U;
  bits ^= bits << 4U;
  bits ^= bits << 8U;
  bits ^= bits << 16U;
  return bits ^ bits << 32U;
}

/// The number that eight digits spell; false when they are not all digits.
inline bool eight_digits(const char* text, uint64_t& number) {
  uint64_t chunk = 0;
  std::memcpy(&chunk, text, sizeof chunk);
  const uint64_t low = chunk - 0x3030303030303030ULL;
  if (((low + 0x7676767676767676ULL) | low) & 0x8080808080808080ULL) return false;
  uint64_t pairs = low * 10 + (low >> 8U);  // the first digit is the lowest byte
  pairs = ((pairs & 0x000000FF000000FFULL) * 0x000F424000000064ULL +
           (pairs >> 16U & 0x000000FF000000FFULL) * 0x0000271000000001ULL) >>
          32U;
  number = pairs;
  return true;
}

/// Reads decimal digits from [at, end) into `number`; returns the first byte that is none.
inline const char* read_digits(const char* at, const char* end, uint64_t& number) {
  number = 0;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  uint64_t eight = 0;
  while (end - at >= 8 && eight_digits(at, eight)) {
    number = number * 100'000'000 + eight;
    at += 8;
  }
#endif
  for (; at != end && *at >= '0' && *at <= '9'; ++at)
    number = number * 10 + static_cast<uint64_t>(*at - '0');
  return at;
}

/// The whole text as a number; false when it is none.
inline bool read_integer(std::string_view text, int64_t& value) {
  constexpr size_t kLongest = 20;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > kLongest) return false;
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  if (read_digits(text.data(), end, number) != end) return false;
  value = static_cast<int64_t>(negative ? 0 - number : number);
  return true;
}

}  // namespace ectoscope
