// Values that one request hands from statement to statement: the id of the row that it read,
// changed and noted in an audit log.
//
// Equal values in two statements may also be chance, or a visitor's next request.  How often is
// learned where no request reaches: from the same two slots, one to three seconds apart.  So a
// value is followed the further, the surer it is that nobody else uses it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/execution.h"
#include "core/query.h"

namespace ectoscope {

/// The values of one statement that may name a row: those of its first four slots and, where that
/// stands behind them, its integer key.
struct RowValues {
  static constexpr uint8_t kSlots = 5;

  std::array<uint64_t, kSlots> value{};  // 0: none.  Odd: an integer; even: the hash of a text
  uint8_t keys = 0;                      // bit i: rows are looked up by value[i]
};

RowValues row_values(const Execution& execution, const Query& query);

/// Threads: one at a time.  Holds the values of one window; what it learned stays from window to
/// window, and is bounded.
class ValueModel {
 public:
  struct Use {
    EventTime started_at;
    EventTime ended_at;
    QueryId query = kNoQuery;
    uint32_t index = 0;  // the caller's
    uint8_t slot = 0;    // of RowValues::value
    bool write = false;
    bool key = false;
  };

  /// Another window: forgets its values, and half of what was learned.
  void begin_window();

  /// Writes before reads: of a read only what some write uses is kept.
  void add_write(const RowValues& values, Use use);
  void add_read(const RowValues& values, Use use);

  /// All that stands in this window was added.
  void learn();

  /// Where the value was used, by start; empty for one that names no row, or that all use.
  [[nodiscard]] std::span<const Use> uses(uint64_t value) const;

  /// No constant: few statements around `at` use it.
  [[nodiscard]] static bool is_rare(std::span<const Use> uses, EventTime at);

  /// Whether a value in these two slots tells one request from another, as no constant does.
  [[nodiscard]] bool tells_apart(const Use& from, const Use& to) const;

  /// How sure it is that `from` handed its value on to `to`, which started `gap` after its end: 0
  /// to 1, and 0 where chance would bring such a use in so long a time.
  [[nodiscard]] double sureness(const Use& from, const Use& to, Micros gap) const;

 private:
  using Slot = std::pair<QueryId, uint8_t>;
  struct Seen {
    double uses = 0;
    double looked_at = 0;  // microseconds at a distance from them
  };
  /// Equal values in two slots.
  struct Equal {
    double at_once = 0;
    double near = 0;
    double distant = 0;
  };

  static constexpr size_t kMaxUses = 64;     // of one value: more is a constant
  static constexpr size_t kMaxSlots = 4096;  // and pairs of them

  [[nodiscard]] Micros observed(EventTime at) const;
  Seen* seen(Slot slot);
  void learn_from(const std::vector<Use>& uses);
  void learn_from(const Use& from, const Use& to);
  [[nodiscard]] Equal equal(const Use& from, const Use& to) const;

  struct Value {
    uint64_t value = 0;
    std::vector<Use> uses;
  };

  std::vector<Value> values_;  // in the order of the writes: replays are equal
  std::unordered_map<uint64_t, size_t> places_;
  std::map<std::pair<Slot, Slot>, Equal> equal_;
  std::map<Slot, Seen> seen_;
  double time_ = 0;  // microseconds, of all windows
  EventTime first_{};
  EventTime last_{};
};

}  // namespace ectoscope
