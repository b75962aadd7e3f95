// pg_stat_statements of one server, polled on a thread of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/database.h"
#include "core/hash.h"
#include "core/query.h"
#include "core/routes.h"
#include "core/snapshot.h"
#include "ingest/statement_poller.h"
#include "parsers/sql_shapes.h"

namespace ectoscope {

/// Threads: made, started and stopped by one; take(), state() and queryid() from any.
class StatementSource {
 public:
  struct Settings {
    std::string server;  // its configured name
    StatementPollerSettings polls;
    SqlSettings sql;
  };

  /// `queries` must outlive the source.
  StatementSource(Settings settings, std::unique_ptr<Database> database, QueryTable& queries,
                  const HashKey& key);
  StatementSource(const StatementSource&) = delete;
  StatementSource& operator=(const StatementSource&) = delete;
  /// Stops.
  ~StatementSource();

  void start();
  /// Interrupts a poll that is under way; it counts for nothing.
  void stop();

  /// What came since the last call, oldest first.  While nobody takes, nothing is polled.
  std::vector<StatementPoll> take();

  [[nodiscard]] SourceState state() const;
  /// Some poll was tried.
  [[nodiscard]] bool tried() const { return news() > 0; }
  /// Entries that were not judged, by reason.
  [[nodiscard]] std::map<std::string, uint64_t> dropped() const;

  /// How many polls were tried.
  [[nodiscard]] uint64_t news() const;

  /// The server's own number for a shape, as the latest poll in which it ran had it.
  [[nodiscard]] std::optional<int64_t> queryid(QueryId query, const std::string& database) const;

 private:
  void run(const std::stop_token& stop);
  void note(StatementPoll poll);
  [[nodiscard]] size_t shape_of(QueryId query) const;

  const QueryTable& queries_;
  std::unique_ptr<Database> database_;
  Routes routes_{1};  // comments of the first run say nothing of the others
  SqlShapes shapes_;
  StatementPoller poller_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable_any taken_;
  std::deque<StatementPoll> polls_;
  std::map<std::pair<std::string, size_t>, int64_t> queryids_;  // by database and shape
  std::map<std::string, uint64_t> dropped_;
  SourceState state_;
  uint64_t news_ = 0;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace ectoscope
