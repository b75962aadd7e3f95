#include "traces/value_model.h"

#include <algorithm>
#include <tuple>

namespace ectoscope {
namespace {

constexpr Micros kNear{500'000};
constexpr size_t kRare = 8;                // uses of a value within that: more is a constant
constexpr Micros kDistant{1'000'000};      // no request reaches so far,
constexpr Micros kMostDistant{3'000'000};  // and so far the model looks
constexpr Micros kAtOnce{60'000};          // an application's work between two statements
constexpr double kMostChance = 0.1;        // that a value comes again by chance
constexpr double kLeastShare = 0.05;       // of the rarer slot's uses: less is a coincidence
constexpr double kPriorSure = 0.9;         // of equal values that are near
constexpr double kPriorSureCount = 0.5;
constexpr double kPriorUses = 1.6;       // by chance, before anything is known,
constexpr Micros kPriorTime{4'000'000};  // in so long
constexpr double kMostEqual = 0.1;       // of the distant pairs of two slots: more is a constant
constexpr double kPriorEqual = 0.5;
constexpr double kPriorPairs = 10;
constexpr double kForget = 0.5;  // of what was learned, from window to window

/// A constant of the code says nothing, and neither does a flag or a count.
bool tells(int64_t value) {
  return value > 2 || value < -2;
}

uint64_t of_integer(int64_t value) {
  return tells(value) ? (static_cast<uint64_t>(value) << 1U) | 1U : 0;
}

bool is_text(uint64_t value) {
  return (value & 1U) == 0;
}

double in_us(Micros time) {
  return static_cast<double>(std::max<int64_t>(time.count(), 0));
}

Micros apart(EventTime a, EventTime b) {
  return a > b ? a - b : b - a;
}

}  // namespace

RowValues row_values(const Execution& execution, const Query& query) {
  RowValues row;
  for (size_t i = 0; i < execution.integers.size(); ++i) {
    const bool integer = (execution.integer_slots >> i & 1U) != 0;
    row.value[i] = integer ? of_integer(execution.integers[i])
                           : static_cast<uint64_t>(execution.values[i]) << 1U;
    if (std::binary_search(query.equal_slots.begin(), query.equal_slots.end(), i + 1))
      row.keys |= static_cast<uint8_t>(1U << i);
  }
  constexpr size_t kKey = RowValues::kSlots - 1;
  if (query.key_slot > kKey && execution.has(Execution::kKeyIsInteger)) {
    row.value[kKey] = of_integer(execution.key);
    row.keys |= 1U << kKey;
  }
  return row;
}

void ValueModel::begin_window() {
  values_.clear();
  places_.clear();
  first_ = EventTime::max();
  last_ = EventTime::min();
  for (auto& [slots, equal] : equal_) {
    equal.at_once *= kForget;
    equal.near *= kForget;
    equal.distant *= kForget;
  }
  for (auto& [slot, seen] : seen_) {
    seen.uses *= kForget;
    seen.looked_at *= kForget;
  }
  time_ *= kForget;
  std::erase_if(equal_, [](const auto& entry) {
    return entry.second.at_once + entry.second.near + entry.second.distant < 0.1;
  });
  std::erase_if(seen_, [](const auto& entry) { return entry.second.uses < 0.1; });
}

/// Null when there are too many.
ValueModel::Seen* ValueModel::seen(Slot slot) {
  const auto found = seen_.find(slot);
  if (found != seen_.end()) return &found->second;
  return seen_.size() < kMaxSlots ? &seen_[slot] : nullptr;
}

void ValueModel::add_write(const RowValues& values, Use use) {
  first_ = std::min(first_, use.started_at);
  last_ = std::max(last_, use.ended_at);
  use.write = true;
  for (uint8_t i = 0; i < RowValues::kSlots; ++i) {
    const uint64_t value = values.value[i];
    if (value == 0) continue;
    if (Seen* slot = seen({use.query, i})) ++slot->uses;
    const auto [place, fresh] = places_.emplace(value, values_.size());
    if (fresh) values_.push_back({value, {}});
    use.slot = i;
    use.key = (values.keys >> i & 1U) != 0;
    values_[place->second].uses.push_back(use);
  }
}

void ValueModel::add_read(const RowValues& values, Use use) {
  first_ = std::min(first_, use.started_at);
  last_ = std::max(last_, use.ended_at);
  for (uint8_t i = 0; i < RowValues::kSlots; ++i) {
    if (values.value[i] == 0) continue;
    if (Seen* slot = seen({use.query, i})) ++slot->uses;
    const auto place = places_.find(values.value[i]);
    if (place == places_.end()) continue;
    auto& uses = values_[place->second].uses;
    if (uses.size() > kMaxUses) continue;
    use.slot = i;
    use.key = (values.keys >> i & 1U) != 0;
    uses.push_back(use);
  }
}

/// How much of this window is distant from `at`.
Micros ValueModel::observed(EventTime at) const {
  const auto common = [&](EventTime from, EventTime to) {
    return std::max(Micros(0), std::min(to, last_) - std::max(from, first_));
  };
  return common(at - kMostDistant, at - kDistant) + common(at + kDistant, at + kMostDistant);
}

void ValueModel::learn() {
  if (first_ < last_) time_ += static_cast<double>((last_ - first_).count());
  for (Value& value : values_) {
    auto& uses = value.uses;
    // A text may be a time of day or a state; one that rows are looked up by is an identity.
    const bool names = !is_text(value.value) || std::any_of(uses.begin(), uses.end(),
                                                            [](const Use& use) { return use.key; });
    if (!names || uses.size() > kMaxUses) {
      uses.clear();
      continue;
    }
    std::sort(uses.begin(), uses.end(), [](const Use& a, const Use& b) {
      return std::tuple(a.started_at, a.write, a.index, a.slot) <
             std::tuple(b.started_at, b.write, b.index, b.slot);
    });
    learn_from(uses);
  }
}

void ValueModel::learn_from(const std::vector<Use>& uses) {
  for (const Use& to : uses) {
    if (!to.write) continue;
    const Slot slot{to.query, to.slot};
    if (Seen* looked = seen(slot))
      looked->looked_at += static_cast<double>(observed(to.started_at).count());
    for (const Use& from : uses)
      learn_from(from, to);
  }
}

void ValueModel::learn_from(const Use& from, const Use& to) {
  const Micros distance = apart(from.started_at, to.started_at);
  const bool itself = from.write && from.index == to.index;
  if (itself || distance > kMostDistant) return;
  const Micros gap = to.started_at - from.ended_at;
  const bool near = from.started_at <= to.started_at && gap <= kDistant;
  if (!near && distance < kDistant) return;
  const std::pair<Slot, Slot> slots{{from.query, from.slot}, {to.query, to.slot}};
  if (equal_.size() >= kMaxSlots && !equal_.contains(slots)) return;
  Equal& equal = equal_[slots];
  ++(!near ? equal.distant : gap <= kAtOnce ? equal.at_once : equal.near);
}

std::span<const ValueModel::Use> ValueModel::uses(uint64_t value) const {
  const auto place = places_.find(value);
  if (place == places_.end()) return {};
  return values_[place->second].uses;
}

bool ValueModel::is_rare(std::span<const Use> uses, EventTime at) {
  const auto near = std::count_if(
      uses.begin(), uses.end(), [&](const Use& use) { return apart(use.started_at, at) <= kNear; });
  return static_cast<size_t>(near) <= kRare;
}

ValueModel::Equal ValueModel::equal(const Use& from, const Use& to) const {
  const auto found = equal_.find({{from.query, from.slot}, {to.query, to.slot}});
  return found == equal_.end() ? Equal{} : found->second;
}

bool ValueModel::tells_apart(const Use& from, const Use& to) const {
  const auto one = seen_.find({from.query, from.slot});
  const auto other = seen_.find({to.query, to.slot});
  if (one == seen_.end() || other == seen_.end() || time_ == 0) return true;
  const double pairs = one->second.uses / time_ * other->second.looked_at;
  return equal(from, to).distant + kPriorEqual <= kMostEqual * (pairs + kPriorPairs);
}

double ValueModel::sureness(const Use& from, const Use& to, Micros gap) const {
  const auto found = seen_.find({to.query, to.slot});
  const Seen seen = found == seen_.end() ? Seen{} : found->second;
  const auto one = seen_.find({from.query, from.slot});
  const double rarer = std::min(seen.uses, one == seen_.end() ? 0 : one->second.uses);
  const Equal equal = this->equal(from, to);
  if (equal.at_once + equal.near < kLeastShare * rarer) return 0;
  const double prior_time = in_us(kPriorTime);
  const double rate = (equal.distant + kPriorUses) / (seen.looked_at + prior_time);
  if (rate * in_us(gap) > kMostChance) return 0;
  const bool at_once = gap <= kAtOnce;
  const double count = at_once ? equal.at_once : equal.near;
  const double chance = equal.distant / (seen.looked_at + prior_time) * seen.uses *
                        in_us(at_once ? kAtOnce : kDistant - kAtOnce);
  return std::max(0.0, count - chance + kPriorSure * kPriorSureCount) / (count + kPriorSureCount);
}

}  // namespace ectoscope
