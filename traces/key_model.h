// How the keys of one loop follow each other, learned for each shape.
//
// A loop over parents asks for their keys in the parents' order: ascending or descending ids, or
// any sequence that comes again because the rows come again.  What comes again is the difference
// of neighbours.  The model counts differences between linked executions and, as the measure of
// chance, between executions seconds apart, which no request can have both run.  Their ratio is the
// evidence: about 1 where keys are random, in the hundreds where they are not, and again 1 where a
// key is so common that even strangers share it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/execution.h"

namespace ectoscope {

/// The values of an execution that evidence is taken from; slot 0 is the key, 1..4 the first
/// integers, used for INSERT alone, whose key is not known.
struct KeyValues {
  static constexpr size_t kSlots = 5;
  std::array<int64_t, kSlots> value{};
  uint8_t present = 0;  // bit i: value[i] is known
  uint64_t hash = 0;    // of the whole key; 0: not known

  [[nodiscard]] bool has(size_t slot) const { return (present >> slot & 1U) != 0; }
  /// Their difference means something: not that of two hashes, unless they are equal.
  [[nodiscard]] bool comparable(const KeyValues& other) const {
    return (present & other.present) != 0 || hash == other.hash;
  }
};

KeyValues key_values(const Execution& execution, const Query& query);

/// Counts by difference: open addressing, bounded; when full, old counts are halved and small ones
/// dropped.
class DeltaCounts {
 public:
  struct Cell {
    int64_t delta = kUnused;
    float linked = 0;   // in links, each weighed by its probability
    float distant = 0;  // between executions seconds apart

    [[nodiscard]] bool used() const { return delta != kUnused; }
  };

  Cell& at(int64_t delta) {
    if (used_ * 2 >= cells_.size()) grow();
    Cell& cell = cells_[place(delta)];
    if (!cell.used()) {
      cell.delta = stored(delta);
      ++used_;
    }
    return cell;
  }
  [[nodiscard]] const Cell* find(int64_t delta) const {
    if (cells_.empty()) return nullptr;
    const Cell& cell = cells_[place(delta)];
    return cell.used() ? &cell : nullptr;
  }
  void prefetch(int64_t delta) const {
    if (!cells_.empty()) __builtin_prefetch(&cells_[home(delta)]);
  }
  void halve_linked();
  [[nodiscard]] const std::vector<Cell>& cells() const { return cells_; }

 private:
  static constexpr size_t kMaxCells = 4096;
  // Marks a free cell; two keys that really are so far apart count with their neighbours.
  static constexpr int64_t kUnused = std::numeric_limits<int64_t>::min();

  static constexpr uint64_t kSpread = 0x9E3779B97F4A7C15ULL;  // 2^64 over the golden ratio

  static int64_t stored(int64_t delta) { return delta == kUnused ? kUnused + 1 : delta; }
  [[nodiscard]] size_t home(int64_t delta) const {
    return (static_cast<uint64_t>(stored(delta)) * kSpread >> 32U) & (cells_.size() - 1);
  }
  [[nodiscard]] size_t place(int64_t delta) const {
    const size_t mask = cells_.size() - 1;
    size_t at = home(delta);
    delta = stored(delta);
    while (cells_[at].used() && cells_[at].delta != delta)
      at = (at + 1) & mask;
    return at;
  }
  void grow();

  std::vector<Cell> cells_;
  size_t used_ = 0;
};

/// What links show (differences of keys, or pairs), against what executions show that nothing
/// links.
struct LinkCounts {
  static constexpr double kPriorLinks = 8;  // before their shares mean anything

  DeltaCounts counts;
  double linked = 0;
  double distant = 0;

  /// Probability of it between executions that have nothing to do with each other.
  [[nodiscard]] double chance(const DeltaCounts::Cell& cell) const;
  /// How much likelier links show it than chance does; 0 where none has, but for `own` of them.
  [[nodiscard]] double evidence(int64_t shown, double own = 0) const;
};

/// Threads: one at a time.  All of it is in memory only and dies with the process.
class KeyModel {
 public:
  /// How much likelier `after` follows `before` in one loop than by chance.  `own` is what these
  /// two themselves taught as a link: no link may be its own evidence.
  [[nodiscard]] double ratio(const KeyValues& before, const KeyValues& after,
                             double own = 0) const {
    const unsigned both = before.present & after.present;
    if (both == 1) return slot_ratio(slots_[0], difference(after.value[0], before.value[0]), own);
    return both == 0 ? ratio_of_hashes(before, after, own) : ratio_of_several(before, after, own);
  }

  /// ratio() or learn_distant() of these two will be asked soon: each looks into a place of its own
  /// in tables that no near cache holds.
  void prepare(const KeyValues& before, const KeyValues& after) const {
    if ((before.present & after.present) != 1) return;
    slots_[0].counts.prefetch(difference(after.value[0], before.value[0]));
  }

  /// They follow each other in one loop with probability `weight`.
  void learn_link(const KeyValues& before, const KeyValues& after, double weight);

  /// They were seconds apart.
  void learn_distant(const KeyValues& before, const KeyValues& after);

  /// Halves what links taught, before another pass over the same executions.
  void halve_links();

  /// Brings telling() up to date; once a window.
  void refresh();

  /// The differences that tell most, of the slot that tells most; empty where keys tell nothing.
  [[nodiscard]] const std::vector<int64_t>& telling() const { return telling_; }
  [[nodiscard]] size_t telling_slot() const { return telling_slot_; }
  /// Share of links that are explained by differences that come again; 0..1.
  [[nodiscard]] double structured() const { return structured_; }
  /// What ratio() gives to a difference never seen before, in the slot that tells most.
  [[nodiscard]] double untold() const { return std::max(kLeastUntold, 1 - structured_); }

 private:
  static constexpr double kLeastUntold = 0.01;  // a difference never seen is never impossible

  struct Slot : LinkCounts {
    double structured = 0;  // of `linked`, in cells that stand out from chance
    double untold = 1;      // ratio of a difference that no link has shown yet

    /// A link of `weight` shows it; whether it stands out is the caller's to say.
    void add(DeltaCounts::Cell& cell, double weight);
    void update_untold() {
      untold = std::max(kLeastUntold, 1 - structured / (linked + kPriorLinks));
    }
  };

  static int64_t difference(int64_t after, int64_t before) {
    return static_cast<int64_t>(static_cast<uint64_t>(after) - static_cast<uint64_t>(before));
  }
  [[nodiscard]] double ratio_of_several(const KeyValues& before, const KeyValues& after,
                                        double own) const;
  [[nodiscard]] double ratio_of_hashes(const KeyValues& before, const KeyValues& after,
                                       double own) const;
  [[nodiscard]] static double slot_ratio(const Slot& slot, int64_t delta, double own) {
    return slot.untold + slot.evidence(delta, own);
  }
  static bool stands_out(const Slot& slot, const DeltaCounts::Cell& cell);
  static void learn(Slot& slot, int64_t delta, double weight);

  // The last slot is for keys that are no integers.  Until executions seconds apart have shown how
  // often kOther comes by chance, it scores as high as any difference not seen by chance yet: a
  // shape of texts is supposed to loop at first (docs/chain.md has what that gains and costs).
  static constexpr size_t kEqual = KeyValues::kSlots;
  static constexpr int64_t kSame = 0;
  static constexpr int64_t kOther = 1;
  std::array<Slot, KeyValues::kSlots + 1> slots_{};
  std::vector<int64_t> telling_;
  size_t telling_slot_ = 0;
  double structured_ = 0;
};

}  // namespace ectoscope
