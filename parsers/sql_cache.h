// A bounded cache from the hash of a text to a small value, without allocation after its making.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ectoscope {

/// 128 bits of the text's hash; with the text's length as good as the text itself.
struct SqlTextHash {
  uint64_t high = 0;
  uint64_t low = 0;
  uint32_t length = 0;

  bool operator==(const SqlTextHash&) const = default;
};

/// Four-way sets; in a full set what was not asked for since it came goes first, so texts that come
/// once do not drive out those that come again.
///
/// Threads: one at a time.  Pointers are valid until the next insert().
template <typename Value>
class SqlCache {
 public:
  /// Holds at most `capacity` entries (a power of two of four-entry sets, rounded down).
  explicit SqlCache(size_t capacity)
      : sets_(std::bit_floor(std::max<size_t>(capacity / kWays, 1))) {}

  /// Null when it is not here.
  Value* find(const SqlTextHash& key) {
    Set& set = set_of(key);
    for (size_t i = 0; i < kWays; ++i) {
      if (set.filled[i] && set.keys[i] == key) {
        set.used[i] = true;
        return &set.values[i];
      }
    }
    return nullptr;
  }

  Value& insert(const SqlTextHash& key) {
    Set& set = set_of(key);
    const size_t at = victim(set);
    set.keys[at] = key;
    set.filled[at] = true;
    set.used[at] = false;
    set.values[at] = Value{};
    return set.values[at];
  }

 private:
  static constexpr size_t kWays = 4;
  // Keys stand together: a look-up reads them and the one value that it finds.
  struct Set {
    std::array<SqlTextHash, kWays> keys{};
    std::array<bool, kWays> filled{};
    std::array<bool, kWays> used{};
    uint32_t hand = 0;
    std::array<Value, kWays> values{};
  };

  Set& set_of(const SqlTextHash& key) { return sets_[key.low & (sets_.size() - 1)]; }

  static size_t victim(Set& set) {
    for (size_t i = 0; i < kWays; ++i) {
      if (!set.filled[i]) return i;
    }
    for (;;) {
      const size_t at = set.hand++ % kWays;
      if (!set.used[at]) return at;
      set.used[at] = false;
    }
  }

  std::vector<Set> sets_;
};

}  // namespace ectoscope
