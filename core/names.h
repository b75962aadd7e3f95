// Small numbers for strings that come again and again: routes, applications, client hosts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ectoscope {

/// Gives each distinct string a number, up to a bound; what comes after the bound is number 0,
/// the empty string, and counted in overflowed().
///
/// Threads: one at a time.  References stay valid while the Names lives.
class Names {
 public:
  explicit Names(size_t capacity) : capacity_(capacity) {
    texts_.push_back(&*index_.emplace("", 0).first);
  }

  uint32_t intern(std::string_view text) {
    if (const auto found = index_.find(text); found != index_.end()) return found->second;
    if (texts_.size() >= capacity_) {
      ++overflowed_;
      return 0;
    }
    const auto number = static_cast<uint32_t>(texts_.size());
    texts_.push_back(&*index_.emplace(text, number).first);
    return number;
  }

  const std::string& operator[](uint32_t number) const { return texts_[number]->first; }
  [[nodiscard]] size_t size() const { return texts_.size(); }
  [[nodiscard]] uint64_t overflowed() const { return overflowed_; }

 private:
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's name
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> index_;
  std::vector<const std::pair<const std::string, uint32_t>*> texts_;
  size_t capacity_;
  uint64_t overflowed_ = 0;
};

}  // namespace ectoscope
