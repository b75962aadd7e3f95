#include "parsers/session_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/hash.h"

namespace ectoscope {

SessionTable::SessionTable(size_t capacity, std::function<void(Session&)> evicting)
    : capacity_(std::max<size_t>(capacity, 2)),
      evicting_(std::move(evicting)),
      slots_(std::bit_ceil(capacity_ * 2)) {}

size_t SessionTable::slot_of(uint64_t key) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = mix_hash(0, key) & mask;
  while (slots_[slot] != 0 && sessions_[slots_[slot] - 1]->key != key)
    slot = (slot + 1) & mask;
  return slot;
}

Session* SessionTable::find(uint64_t key) {
  if (latest_ == nullptr || latest_->key != key) {
    const uint32_t number = slots_[slot_of(key)];
    if (number == 0) return nullptr;
    latest_ = sessions_[number - 1].get();
  }
  latest_->last_used = ++clock_;
  return latest_;
}

Session& SessionTable::get(uint64_t key) {
  if (Session* known = find(key)) return *known;
  if (size_ == capacity_) evict_silent_half();
  if (size_ == sessions_.size()) sessions_.push_back(std::make_unique<Session>());
  latest_ = sessions_[size_++].get();
  *latest_ = Session{};
  latest_->key = key;
  latest_->last_used = ++clock_;
  slots_[slot_of(key)] = static_cast<uint32_t>(size_);
  return *latest_;
}

void SessionTable::for_each(const std::function<void(Session&)>& visit) {
  for (size_t i = 0; i < size_; ++i)
    visit(*sessions_[i]);
}

void SessionTable::evict_silent_half() {
  std::vector<uint64_t> ages;
  ages.reserve(size_);
  for (size_t i = 0; i < size_; ++i)
    ages.push_back(sessions_[i]->last_used);
  const auto middle = ages.begin() + static_cast<std::ptrdiff_t>(size_ / 2);
  std::nth_element(ages.begin(), middle, ages.end());
  const uint64_t oldest_kept = *middle;
  const auto kept = [&](const std::unique_ptr<Session>& session) {
    return session->last_used >= oldest_kept;
  };
  const auto end = sessions_.begin() + static_cast<std::ptrdiff_t>(size_);
  const auto silent = std::stable_partition(sessions_.begin(), end, kept);
  for (auto session = silent; session != end; ++session)
    evicting_(**session);
  size_ = static_cast<size_t>(silent - sessions_.begin());
  latest_ = nullptr;
  std::fill(slots_.begin(), slots_.end(), 0);
  for (size_t i = 0; i < size_; ++i) {
    // slot_of() compares keys of sessions that are in slots_ already, so order does not matter.
    slots_[slot_of(sessions_[i]->key)] = static_cast<uint32_t>(i + 1);
  }
}

}  // namespace ectoscope
