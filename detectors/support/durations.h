// The newest durations of a shape, small: there may be one for each shape.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/time.h"

namespace ectoscope {

class Durations {
 public:
  static constexpr size_t kLeast = 3;  // before a median means something

  void add(Micros duration) {
    constexpr int64_t kMost = UINT32_MAX;  // over an hour
    micros_[seen_++ % kKept] =
        static_cast<uint32_t>(std::clamp<int64_t>(duration.count(), 0, kMost));
  }

  [[nodiscard]] size_t size() const { return std::min<size_t>(seen_, kKept); }

  /// 0 of none.
  [[nodiscard]] Micros median() const {
    std::array<uint32_t, kKept> sorted = micros_;
    const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(size());
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(size() / 2);
    std::nth_element(sorted.begin(), middle, end);
    return Micros(*middle);
  }

 private:
  static constexpr size_t kKept = 9;

  std::array<uint32_t, kKept> micros_{};
  uint32_t seen_ = 0;
};

}  // namespace ectoscope
