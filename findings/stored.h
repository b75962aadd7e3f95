// What is kept of a server from one process to the next.  No literal, no value of a parameter and
// no hash of one is in it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/query.h"
#include "core/snapshot.h"
#include "core/time.h"
#include "findings/checkpoint.h"

namespace ectoscope {

struct Acknowledgement {
  EventTime at;
  std::string by;
  std::string why;
};

/// How often the shapes of a finding had run: what tells silence from a cure.
struct ShapeRuns {
  uint64_t child = 0;
  uint64_t parent = 0;
  uint64_t database = 0;  // all statements
};

struct StoredFinding {
  std::string id;
  std::string kind;
  std::string server;
  std::string database;
  std::string query;  // the shapes' texts; empty: none
  std::string parent;
  std::string totals;  // TotalsCodec's
  bool active = true;
  bool live = false;
  EventTime last_seen;
  std::optional<EventTime> resolved_at;
  ShapeRuns at_first;
  ShapeRuns at_last;
  std::optional<Acknowledgement> acknowledged;
};

struct StoredHour {
  std::string finding;
  EventTime hour;  // its start
  uint64_t occurrences = 0;
  uint64_t statements = 0;
  uint64_t excess_statements = 0;
  Micros database_time{0};
  Micros saved{0};
};

struct StoredStatement {
  std::string database;
  std::string text;
  std::string summary;
  uint64_t fingerprint = 0;
  Operation operation = Operation::kOther;
  DurationHistogram durations;
  Micros max{0};
};

/// One server's, all or what changed.
struct StoredServer {
  std::string server;
  std::vector<SourceCheckpoint> sources;
  std::vector<StoredFinding> findings;
  std::vector<std::string> forgotten;  // ids
  std::vector<StoredHour> hours;
  std::vector<StoredStatement> statements;
};

}  // namespace ectoscope
