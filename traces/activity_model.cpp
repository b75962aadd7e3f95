#include "traces/activity_model.h"

#include <algorithm>

namespace ectoscope {
namespace {

constexpr int64_t kReach = 2;  // slots on each side: 250 ms in all

}  // namespace

void ActivityModel::advance(int64_t slot) {
  const int64_t steps = std::min<int64_t>(slot - newest_, kSlots);
  for (int64_t i = 1; i <= steps; ++i)
    counts_[place_of(newest_ + i)] = 0;
  newest_ = slot;
}

void ActivityModel::add(EventTime at) {
  const int64_t slot = slot_of(at);
  if (!any_) {
    any_ = true;
    newest_ = slot;
  }
  if (slot > newest_) advance(slot);
  if (slot <= newest_ - static_cast<int64_t>(kSlots)) return;
  ++counts_[place_of(slot)];
}

ActivityModel::Span ActivityModel::around(EventTime at) {
  const int64_t slot = slot_of(at);
  return {EventTime((slot - kReach) * kSlot), EventTime((slot + kReach + 1) * kSlot)};
}

uint64_t ActivityModel::between(EventTime from, EventTime to) const {
  const int64_t oldest = newest_ - static_cast<int64_t>(kSlots) + 1;
  const int64_t end = std::min(slot_of(to), newest_ + 1);
  uint64_t count = 0;
  for (int64_t slot = std::max(slot_of(from), oldest); slot < end; ++slot)
    count += counts_[place_of(slot)];
  return count;
}

}  // namespace ectoscope
