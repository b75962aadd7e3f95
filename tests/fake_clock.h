// A clock that stands still until it is moved.
#pragma once

#include "core/clock.h"

namespace ectoscope {

class FakeClock final : public Clock {
 public:
  [[nodiscard]] EventTime wall() const override { return wall_; }
  [[nodiscard]] Micros steady() const override { return steady_; }

  void advance(Micros time) {
    wall_ += time;
    steady_ += time;
  }

 private:
  EventTime wall_{std::chrono::hours(490'000)};  // in 2025
  Micros steady_{std::chrono::hours(100)};
};

}  // namespace ectoscope
