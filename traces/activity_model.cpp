#include "traces/activity_model.h"

#include <algorithm>

namespace ectoscope {
namespace {

constexpr int64_t kReach = 2;  // slots on each side: 250 ms in all
constexpr double kLeast = 0.25;
constexpr double kMost = 16;

}  // namespace

void ActivityModel::advance(int64_t slot) {
  const int64_t steps = std::min<int64_t>(slot - newest_, kSlots);
  for (int64_t i = 1; i <= steps; ++i) {
    uint32_t& count = counts_[place_of(newest_ + i)];
    total_ -= count;
    count = 0;
  }
  newest_ = slot;
  filled_ = std::min(kSlots, filled_ + static_cast<size_t>(steps));
}

void ActivityModel::add(EventTime at) {
  const int64_t slot = slot_of(at);
  if (!any_) {
    any_ = true;
    newest_ = slot;
    filled_ = 1;
  }
  if (slot > newest_) advance(slot);
  if (slot <= newest_ - static_cast<int64_t>(kSlots)) return;
  ++counts_[place_of(slot)];
  ++total_;
}

double ActivityModel::factor_of_slot(int64_t slot) const {
  if (total_ == 0) return 1;
  uint64_t near = 0;
  int64_t slots = 0;
  for (int64_t i = slot - kReach; i <= slot + kReach; ++i) {
    if (i > newest_ || i <= newest_ - static_cast<int64_t>(filled_)) continue;
    near += counts_[place_of(i)];
    ++slots;
  }
  if (slots == 0) return 1;
  const double mean = static_cast<double>(total_) / static_cast<double>(filled_);
  return std::clamp(static_cast<double>(near) / static_cast<double>(slots) / mean, kLeast, kMost);
}

}  // namespace ectoscope
