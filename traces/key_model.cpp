#include "traces/key_model.h"

#include <algorithm>

namespace ectoscope {
namespace {

// What chance gives to a difference that no distant pair has shown yet: 1 in 860 at first.
constexpr double kUnseen = 0.07;
constexpr double kUnseenWeight = 60;
constexpr float kLeastMass = 3;   // links before a difference can stand out
constexpr double kStandsOut = 3;  // times chance
constexpr size_t kMaxTelling = 8;
constexpr double kTelling = 5;  // ratio

}  // namespace

KeyValues key_values(const Execution& execution, const Query& query) {
  KeyValues keys;
  keys.hash = execution.key_hash;
  if (query.operation == Operation::kInsert) {
    for (size_t i = 0; i < execution.integers.size(); ++i)
      keys.value[i + 1] = execution.integers[i];
    keys.present = static_cast<uint8_t>(execution.integer_slots << 1U);
  } else if (execution.has(Execution::kKeyIsInteger)) {
    keys.value[0] = execution.key;
    keys.present = 1;
  }
  return keys;
}

void DeltaCounts::grow() {
  std::vector<Cell> old = std::move(cells_);
  const bool full = old.size() >= kMaxCells;
  cells_.assign(full ? old.size() : std::max<size_t>(64, old.size() * 2), Cell{});
  used_ = 0;
  // When full, what was seen about once goes, and the rest counts half: it must be earned again.
  for (float least = full ? 1.0F : 0.0F;; least *= 2) {
    const auto kept = static_cast<size_t>(std::count_if(old.begin(), old.end(), [&](const Cell& c) {
      return c.used() && c.linked + c.distant > least;
    }));
    if (full && kept * 4 > old.size()) continue;
    for (const Cell& cell : old) {
      if (!cell.used() || (full && cell.linked + cell.distant <= least)) continue;
      Cell& place_for = cells_[place(cell.delta)];
      place_for = cell;
      ++used_;
      if (full) {
        place_for.linked /= 2;
        place_for.distant /= 2;
      }
    }
    return;
  }
}

void DeltaCounts::halve_linked() {
  for (Cell& cell : cells_)
    cell.linked /= 2;
}

double LinkCounts::chance(const DeltaCounts::Cell& cell) const {
  return (static_cast<double>(cell.distant) + kUnseen) / (distant + kUnseenWeight);
}

double LinkCounts::evidence(int64_t shown, double own) const {
  const DeltaCounts::Cell* cell = counts.find(shown);
  if (cell == nullptr) return 0;
  const double others = static_cast<double>(cell->linked) - own;
  if (others <= 0) return 0;
  return others / (linked + kPriorLinks) / chance(*cell);
}

double KeyModel::ratio_of_several(const KeyValues& before, const KeyValues& after,
                                  double own) const {
  const Slot* best = slots_.data();
  int64_t delta = 0;
  double best_share = -1;
  for (size_t i = 0; i < KeyValues::kSlots; ++i) {
    if (!before.has(i) || !after.has(i)) continue;
    const double share = slots_[i].structured / (slots_[i].linked + LinkCounts::kPriorLinks);
    if (share <= best_share) continue;
    best = &slots_[i];
    best_share = share;
    delta = difference(after.value[i], before.value[i]);
  }
  return slot_ratio(*best, delta, own);
}

double KeyModel::ratio_of_hashes(const KeyValues& before, const KeyValues& after,
                                 double own) const {
  if (before.hash == 0 || after.hash == 0) return 1;
  return slot_ratio(slots_[kEqual], before.hash == after.hash ? kSame : kOther, own);
}

bool KeyModel::stands_out(const Slot& slot, const DeltaCounts::Cell& cell) {
  return cell.linked >= kLeastMass &&
         static_cast<double>(cell.linked) / (slot.linked + LinkCounts::kPriorLinks) >
             kStandsOut * slot.chance(cell);
}

void KeyModel::Slot::add(DeltaCounts::Cell& cell, double weight) {
  cell.linked += static_cast<float>(weight);
  linked += weight;
  update_untold();
}

void KeyModel::learn(Slot& slot, int64_t delta, double weight) {
  DeltaCounts::Cell& cell = slot.counts.at(delta);
  if (stands_out(slot, cell)) slot.structured += weight;
  slot.add(cell, weight);
}

void KeyModel::learn_link(const KeyValues& before, const KeyValues& after, double weight) {
  bool integers = false;
  for (size_t i = 0; i < KeyValues::kSlots; ++i) {
    if (!before.has(i) || !after.has(i)) continue;
    learn(slots_[i], difference(after.value[i], before.value[i]), weight);
    integers = true;
  }
  if (integers || before.hash == 0 || after.hash == 0) return;
  Slot& slot = slots_[kEqual];
  if (before.hash == after.hash) {
    learn(slot, kSame, weight);
  } else {
    slot.add(slot.counts.at(kOther), weight);  // that two differ is nothing that could come again
  }
}

void KeyModel::learn_distant(const KeyValues& before, const KeyValues& after) {
  bool integers = false;
  for (size_t i = 0; i < KeyValues::kSlots; ++i) {
    if (!before.has(i) || !after.has(i)) continue;
    slots_[i].counts.at(difference(after.value[i], before.value[i])).distant += 1;
    slots_[i].distant += 1;
    integers = true;
  }
  if (integers || before.hash == 0 || after.hash == 0) return;
  slots_[kEqual].counts.at(before.hash == after.hash ? kSame : kOther).distant += 1;
  slots_[kEqual].distant += 1;
}

void KeyModel::halve_links() {
  for (Slot& slot : slots_) {
    slot.counts.halve_linked();
    slot.linked /= 2;
    slot.structured /= 2;
    slot.update_untold();
  }
}

void KeyModel::refresh() {
  telling_.clear();
  structured_ = 0;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const double share = slots_[i].structured / (slots_[i].linked + LinkCounts::kPriorLinks);
    if (share <= structured_) continue;
    structured_ = share;
    telling_slot_ = i;
  }
  if (structured_ <= 0 || telling_slot_ == kEqual) return;
  const Slot& slot = slots_[telling_slot_];
  std::vector<std::pair<float, int64_t>> ranked;
  for (const DeltaCounts::Cell& cell : slot.counts.cells()) {
    if (cell.used() && stands_out(slot, cell) && slot_ratio(slot, cell.delta, 0) >= kTelling) {
      ranked.emplace_back(-cell.linked, cell.delta);
    }
  }
  std::sort(ranked.begin(), ranked.end());
  if (ranked.size() > kMaxTelling) ranked.resize(kMaxTelling);
  for (const auto& [mass, delta] : ranked)
    telling_.push_back(delta);
}

}  // namespace ectoscope
