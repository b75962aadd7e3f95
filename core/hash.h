// SipHash-1-3: the keyed hash of parameter values.
//
// The key is drawn once a process and never leaves it, so a stored or shown hash could not be
// turned back into a value even from a small domain.  Reference: Aumasson and Bernstein,
// "SipHash: a fast short-input PRF" (2012); 1-3 is the variant that hash tables use.
#pragma once

#include <cstdint>
#include <string_view>

namespace ectoscope {

struct HashKey {
  uint64_t first = 0;
  uint64_t second = 0;
};

/// Equal text under an equal key gives an equal hash.  Never 0, which means "not known".
uint64_t keyed_hash(const HashKey& key, std::string_view text);

/// Mixes a second value into a hash; order matters.
inline uint64_t mix_hash(uint64_t hash, uint64_t value) {
  uint64_t z = (hash ^ (value + 0x9E3779B97F4A7C15ULL + (hash << 6U) + (hash >> 2U)));
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

}  // namespace ectoscope
