// Sixty-four bytes at a time: where in them a byte stands, as a bit mask.
#pragma once

#include <cstdint>
#include <cstring>

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

/// Bit i is the parity of the bits 0..i: after each quote, whether we are inside.
inline uint64_t running_parity(uint64_t bits) {
  for (unsigned shift = 1; shift < 64; shift *= 2)
    bits ^= bits << shift;
  return bits;
}

}  // namespace ectoscope
