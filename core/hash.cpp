#include "core/hash.h"

#include <bit>
#include <cstring>

namespace ectoscope {
namespace {

struct State {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
};

}  // namespace

uint64_t keyed_hash(const HashKey& key, std::string_view text) {
  State s{key.first ^ 0x736f6d6570736575ULL, key.second ^ 0x646f72616e646f6dULL,
          key.first ^ 0x6c7967656e657261ULL, key.second ^ 0x7465646279746573ULL};
  const char* at = text.data();
  size_t left = text.size();
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    s.v3 ^= word;
    s.round();
    s.v0 ^= word;
  }
  uint64_t last = static_cast<uint64_t>(text.size()) << 56U;
  for (size_t i = 0; i < left; ++i) {
    last |= static_cast<uint64_t>(static_cast<unsigned char>(at[i])) << (8U * i);
  }
  s.v3 ^= last;
  s.round();
  s.v0 ^= last;
  s.v2 ^= 0xffU;
  s.round();
  s.round();
  s.round();
  const uint64_t hash = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
  return hash == 0 ? 1 : hash;
}

}  // namespace ectoscope
