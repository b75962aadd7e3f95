#include "platform/system_clock.h"

namespace ectoscope {
namespace {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] EventTime wall() const override {
    return std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now());
  }
  [[nodiscard]] Micros steady() const override {
    return std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now().time_since_epoch());
  }
};

}  // namespace

std::unique_ptr<Clock> make_system_clock() {
  return std::make_unique<SystemClock>();
}

}  // namespace ectoscope
