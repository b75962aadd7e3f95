// How often each statement ran and how long it took: per operation, and per shape.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/query.h"
#include "core/snapshot.h"
#include "findings/stored.h"

namespace ectoscope {

/// One server's.  Threads: one at a time.  Bounded by the shapes that `queries` holds.
class StatementBook {
 public:
  /// `queries` must outlive it.
  StatementBook(std::string server, const QueryTable& queries)
      : server_(std::move(server)), queries_(queries) {}

  /// Numbers a database.
  uint32_t database(std::string_view name);

  /// One execution, or several that took so long in the mean.
  void add(uint32_t database, QueryId query, Micros duration, uint64_t times = 1);

  /// How often it ran, as far as is known.
  [[nodiscard]] uint64_t executions(std::string_view database, QueryId query) const;
  [[nodiscard]] uint64_t executions(std::string_view database) const;

  /// Of this process, for metrics.
  [[nodiscard]] std::vector<StatementCounts> counts() const;

  /// Those that took most time together, most first.
  [[nodiscard]] std::vector<std::shared_ptr<const QueryStatistics>> heaviest(size_t most) const;

  /// What an earlier process counted.  Before anything is added.
  void restore(StoredStatement statement);
  /// Adds what changed since the last call.
  void store_changes(std::vector<StoredStatement>& into);
  /// The store was lost: all is to be stored at the next call.
  void store_all_again();

 private:
  /// A shape on a database.
  struct Entry {
    StoredStatement is;
    bool changed = false;
  };

  static constexpr size_t kOperations = 7;

  struct Database {
    std::string name;
    std::array<DurationHistogram, kOperations> by_operation;
    uint64_t executions = 0;  // of all processes
  };

  static uint64_t key(uint32_t database, QueryId query) {
    return uint64_t{database} << 32U | query;
  }
  Entry& entry(uint32_t database, QueryId query);

  std::string server_;
  const QueryTable& queries_;
  std::vector<Database> databases_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::unordered_map<uint64_t, size_t> by_query_;
  std::unordered_map<std::string, size_t> by_text_;  // by database, NUL, text
};

}  // namespace ectoscope
