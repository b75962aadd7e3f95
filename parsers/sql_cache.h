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
    for (Entry& entry : set_of(key).entries) {
      if (entry.filled && entry.key == key) {
        entry.used = true;
        return &entry.value;
      }
    }
    return nullptr;
  }

  Value& insert(const SqlTextHash& key) {
    Set& set = set_of(key);
    Entry& entry = victim(set);
    entry.key = key;
    entry.filled = true;
    entry.used = false;
    entry.value = Value{};
    return entry.value;
  }

 private:
  static constexpr size_t kWays = 4;
  struct Entry {
    SqlTextHash key;
    bool filled = false;
    bool used = false;
    Value value{};
  };
  struct Set {
    std::array<Entry, kWays> entries{};
    uint32_t hand = 0;
  };

  Set& set_of(const SqlTextHash& key) { return sets_[key.low & (sets_.size() - 1)]; }

  static Entry& victim(Set& set) {
    for (Entry& entry : set.entries) {
      if (!entry.filled) return entry;
    }
    for (;;) {
      Entry& entry = set.entries[set.hand++ % kWays];
      if (!entry.used) return entry;
      entry.used = false;
    }
  }

  std::vector<Set> sets_;
};

}  // namespace ectoscope
