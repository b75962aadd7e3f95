// What detectors let go, the nearest of each: for --why.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/near_miss.h"
#include "core/query.h"

namespace ectoscope {

/// Threads: one at a time.
class NearMissBook {
 public:
  struct Kept {
    std::string kind;
    std::string database;
    NearMiss nearest;  // to its threshold
    uint64_t times = 0;
  };

  explicit NearMissBook(size_t most = 10'000) : most_(most) {}

  /// `kind` is the detector's name.
  void add(std::string_view kind, std::string_view database, const NearMiss& miss);

  /// Nearest to its threshold first, then by how often.
  [[nodiscard]] std::vector<Kept> misses(std::string_view kind) const;

  /// Of any kind, left out because the book was full.
  [[nodiscard]] uint64_t dropped() const { return dropped_; }

 private:
  using Key = std::tuple<std::string, std::string, QueryId, std::string_view, std::string_view>;

  size_t most_;
  std::map<Key, Kept> kept_;
  uint64_t dropped_ = 0;
};

}  // namespace ectoscope
