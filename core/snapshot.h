// What the daemon knows at one moment: what metrics, the API and the pages show.
//
// A snapshot is made by the analysis threads at most once a second and never changes afterwards;
// readers hold it by shared pointer, without locks.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/deploys.h"
#include "core/finding.h"
#include "core/query.h"
#include "core/report.h"
#include "core/trace.h"

namespace ectoscope {

struct AlertingState;  // core/alerting_state.h

/// Durations by bucket.  Bounds after OpenTelemetry's advice for database calls, with 0.1 s.
struct DurationHistogram {
  static constexpr std::array<double, 9> kBounds = {0.001, 0.005, 0.01, 0.05, 0.1,
                                                    0.5,   1,     5,    10};  // seconds

  std::array<uint64_t, kBounds.size() + 1> buckets{};  // not cumulative; the last has no bound
  uint64_t count = 0;
  double sum_seconds = 0;

  void add(Micros duration, uint64_t times = 1);
};

/// "select", "insert", ..., "other": as metrics and the API say it.
std::string_view name_of(Operation operation);

/// A finding in the daemon's life: beyond what one run of `analyze` can say of it.
struct TrackedFinding {
  Finding finding;                             // its cost covers the last 24 h
  std::map<QueryId, std::string> shape_names;  // Query::summary of the shapes in its timeline
  uint64_t total_occurrences = 0;              // since it was first stored
  bool active = true;                          // false: its shape ran on without the problem
  bool live = false;  // it came while that was news, and is not resolved: what alerts go by
  std::optional<EventTime> resolved_at;
  std::string team;  // by `owners:`; empty: nobody's
  std::optional<EventTime> acknowledged_at;
  std::string acknowledged_by;
  std::string acknowledged_why;
};

/// One shape's executions on one database since the daemon's store began.
struct QueryStatistics {
  std::string server;
  std::string database;
  QueryFacts query;
  Operation operation = Operation::kOther;
  DurationHistogram durations;
  Micros max{0};
};

/// A file, or a server that is polled.
struct SourceState {
  std::string server;
  std::string name;       // the path, or "pg_stat_statements"
  bool up = false;        // it can be read
  std::string problem;    // why not, and what to do; empty while it is up
  uint64_t position = 0;  // bytes of the current file that are read
  uint64_t size = 0;      // bytes that it has
  std::optional<EventTime> last_event;
};

struct StatementCounts {
  std::string database;
  Operation operation = Operation::kOther;
  DurationHistogram durations;  // its count is the number of statements
};

/// One server's totals since the process began, but for findings.
struct ServerState {
  std::string server;
  bool up = false;  // all its sources can be read
  uint64_t bytes = 0;
  uint64_t records = 0;
  std::map<std::string, uint64_t> dropped;  // by reason
  double lag_seconds = 0;                   // wall clock less the last stamp, while behind
  std::array<uint64_t, 5> traces{};         // by GroupedBy
  uint64_t open_traces = 0;
  std::vector<StatementCounts> statements;
  uint64_t excess_statements = 0;
  double excess_seconds = 0;
  std::map<std::string, double> detector_seconds;  // by detector
  /// Occurrences by database and kind, and those that ignore rules hid.
  std::map<std::pair<std::string, std::string>, uint64_t> occurrences;
  std::map<std::pair<std::string, std::string>, uint64_t> ignored;
  std::shared_ptr<const Ignoring> ignoring;  // the same in full; null: nothing is
  InputFidelity fidelity;
};

struct Snapshot {
  EventTime taken_at;                                           // wall clock
  bool ready = false;                                           // every source was tried once
  std::vector<std::string> problems;                            // each with what to do
  std::vector<std::shared_ptr<const TrackedFinding>> findings;  // costliest first
  std::vector<std::shared_ptr<const QueryStatistics>> queries;  // most time first
  std::vector<SourceState> sources;                             // by server, then by name
  std::vector<ServerState> servers;                             // by name
  std::vector<Deploy> deploys;                                  // newest first
  bool last_reload_ok = true;
  EventTime last_reload_at;
  std::string store_problem;                      // empty while the store works
  std::shared_ptr<const AlertingState> alerting;  // null: nothing alerts
};

/// Where the latest snapshot is.  Threads: any.
class SnapshotBoard {
 public:
  void publish(std::shared_ptr<const Snapshot> snapshot) {
    const std::lock_guard lock(swapping_);
    latest_ = std::move(snapshot);
  }
  /// Never null.
  [[nodiscard]] std::shared_ptr<const Snapshot> latest() const {
    const std::lock_guard lock(swapping_);
    return latest_;
  }

 private:
  mutable std::mutex swapping_;  // for the pointer's copy only
  std::shared_ptr<const Snapshot> latest_ = std::make_shared<Snapshot>();
};

}  // namespace ectoscope
