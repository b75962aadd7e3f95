// Reads pg_stat_statements again and again, and tells what ran between two readings.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/database.h"
#include "core/statement_sample.h"
#include "ingest/pg_stat_statements.h"
#include "ingest/statement_deltas.h"

namespace ectoscope {

struct StatementPollerSettings {
  std::chrono::milliseconds interval{30'000};
  std::chrono::milliseconds max_backoff{60'000};  // between attempts while the server is away
  size_t max_statements = 100'000;                // entries that are held, about 120 bytes each
  size_t max_text_bytes = size_t{1} << 20U;       // a longer text is left unread
};

/// What one poll brought.
struct StatementPoll {
  bool up = false;
  std::string problem;             // what is wrong and what to do; may be set while `up`, too
  std::chrono::milliseconds next;  // until the next poll should be
  std::optional<EventTime> at;     // of the reading, by the server's clock
  std::vector<DatabaseSamples> databases;   // by name; those with samples only
  std::map<std::string, uint64_t> dropped;  // entries, by reason: "no_text", "shapes_full", ...
};

/// Memory: by the number of entries; texts are read one by one and not kept.
/// Threads: one at a time.
class StatementPoller {
 public:
  /// From a statement's text to its shape.
  using Resolve = std::function<QueryId(std::string_view sql)>;

  /// `database` must outlive the poller.
  StatementPoller(Database& database, Resolve resolve, StatementPollerSettings settings = {});

  /// Never throws for what the server does.  A poll that fails in its middle counts for nothing:
  /// the next one tells of both.
  StatementPoll poll();

  [[nodiscard]] size_t statements() const { return deltas_.size(); }
  [[nodiscard]] uint64_t resets() const { return deltas_.resets(); }
  [[nodiscard]] uint64_t evictions() const { return deltas_.evictions(); }

 private:
  struct Extension {
    StatementsVersion version;
    std::string schema;
    std::string own_role;
  };

  std::optional<DatabaseError> read(ReadTransaction& transaction, StatementPoll& poll);
  std::optional<DatabaseError> find_extension(ReadTransaction& transaction, Extension& extension);
  std::optional<DatabaseError> read_rows(ReadTransaction& transaction, const Extension& extension,
                                         StatementPoll& poll);
  std::optional<DatabaseError> read_texts(ReadTransaction& transaction, const std::string& schema,
                                          StatementPoll& poll);
  std::optional<DatabaseError> read_names(ReadTransaction& transaction);
  void make_samples(StatementPoll& poll, EventTime from, EventTime to);
  StatementPoll failed(const DatabaseError& error);

  Database& database_;
  Resolve resolve_;
  StatementPollerSettings settings_;
  StatementDeltas deltas_;
  std::map<uint32_t, std::string> names_;  // of databases
  std::chrono::milliseconds backoff_{0};
  std::vector<StatementRow> rows_;               // scratch
  std::vector<StatementDeltas::Delta> changed_;  // of one poll
};

}  // namespace ectoscope
