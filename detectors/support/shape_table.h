// What a detector remembers of each shape: bounded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "core/query.h"

namespace ectoscope {

/// State by shape.  When it is full the half that was asked for the longest ago goes.
template <typename State>
class ShapeTable {
 public:
  explicit ShapeTable(size_t capacity) : capacity_(capacity) {}

  /// Makes one if need be; the reference is valid until the next call.
  State& operator[](QueryId query) {
    const auto [entry, is_new] = entries_.try_emplace(query);
    entry->second.used = ++clock_;
    if (!is_new || entries_.size() <= capacity_) return entry->second.state;
    forget_half();
    return entries_[query].state;
  }

  /// Null when there is none.
  State* find(QueryId query) {
    const auto entry = entries_.find(query);
    return entry == entries_.end() ? nullptr : &entry->second.state;
  }

  [[nodiscard]] size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    State state;
    uint64_t used = 0;
  };

  void forget_half() {
    std::vector<uint64_t> uses;
    for (const auto& [query, entry] : entries_)
      uses.push_back(entry.used);
    const auto middle = uses.begin() + static_cast<std::ptrdiff_t>(uses.size() / 2);
    std::nth_element(uses.begin(), middle, uses.end());
    std::erase_if(entries_, [&](const auto& it) { return it.second.used < *middle; });
  }

  size_t capacity_;
  std::map<QueryId, Entry> entries_;
  uint64_t clock_ = 0;
};

}  // namespace ectoscope
