// What was counted between two readings of pg_stat_statements.
//
// Its counters only rise, until they start at zero again: after pg_stat_statements_reset(), after a
// crash, when an entry was evicted for want of room and came back, and when another server answers
// in place of the old one.  Nothing is ever counted twice; where it can't be told how much ran,
// less is counted.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>

#include "core/query.h"

namespace ectoscope {

struct StatementCounters {
  uint64_t calls = 0;
  uint64_t rows = 0;
  uint64_t total_us = 0;
  uint64_t blocks_read = 0;
  uint64_t temp_blocks = 0;

  /// Some counter is lower than in `earlier`.
  [[nodiscard]] bool fell_from(const StatementCounters& earlier) const;
  [[nodiscard]] StatementCounters since(const StatementCounters& earlier) const;
  void add(const StatementCounters& more);
};

struct StatementKey {
  uint32_t user = 0;
  uint32_t database = 0;
  int64_t queryid = 0;

  bool operator==(const StatementKey&) const = default;
};

struct StatementRow {
  StatementKey key;
  StatementCounters counters;
  int64_t since_us = 0;  // when the entry began to count, where the server tells (17 on); else 0
};

/// Of the server at one reading.  Times are its own clock's, in microseconds.
struct StatementReading {
  int64_t now_us = 0;
  int64_t started_us = 0;
  std::optional<int64_t> reset_us;  // of all counters; nullopt: not told (13)
  bool partial = false;             // some rows were left out
};

/// Threads: one at a time.
class StatementDeltas {
 public:
  /// A row that ran since the last reading.  `query` is the caller's to set: the shape of the
  /// entry, kNoQuery until then.
  struct Delta {
    StatementKey key;
    StatementCounters counters;
    QueryId* query = nullptr;
  };

  /// `each` is called for every row with new calls, in no order; `query` stays valid until the next
  /// apply().  The first reading, and the first of another server, only says where counting begins.
  void apply(const StatementReading& reading, std::span<const StatementRow> rows,
             const std::function<void(const Delta&)>& each);

  [[nodiscard]] bool has_begun() const { return last_.has_value(); }
  [[nodiscard]] int64_t last_us() const { return last_ ? last_->now_us : 0; }
  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] uint64_t resets() const { return resets_; }
  [[nodiscard]] uint64_t evictions() const { return evictions_; }

 private:
  struct Hash {
    size_t operator()(const StatementKey& key) const {
      uint64_t mixed = static_cast<uint64_t>(key.queryid) * 0x9E3779B97F4A7C15U;
      mixed ^= (uint64_t{key.database} << 32U | key.user) * 0xC2B2AE3D27D4EB4FU;
      return mixed ^ (mixed >> 29U);
    }
  };
  struct Entry {
    StatementCounters counters;
    uint64_t reading = 0;
    QueryId query = kNoQuery;
  };
  enum class Continuity { kSame, kReset, kOtherServer };

  [[nodiscard]] Continuity continuity(const StatementReading& reading) const;
  [[nodiscard]] StatementCounters delta_of(const StatementRow& row, const Entry& entry);
  void forget_evicted(bool partial);

  std::optional<StatementReading> last_;
  std::unordered_map<StatementKey, Entry, Hash> entries_;
  uint64_t readings_ = 0;
  uint64_t resets_ = 0;
  uint64_t evictions_ = 0;
};

}  // namespace ectoscope
