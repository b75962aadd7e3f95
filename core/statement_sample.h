// What pg_stat_statements tells of one shape between two polls.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/query.h"
#include "core/report.h"
#include "core/time.h"

namespace ectoscope {

/// One shape on one database, all users and all query ids of it together.
struct StatementSample {
  QueryId query = kNoQuery;  // never kNoQuery
  uint32_t database = 0;     // its oid: tells databases apart that one detector sees
  int64_t queryid = 0;       // of the entry with most calls
  EventTime from;            // the two polls, by the server's clock
  EventTime to;
  uint64_t calls = 0;  // > 0
  uint64_t rows = 0;   // returned or changed
  Micros total_time{0};
  uint64_t blocks_read = 0;  // shared blocks that were not in the buffers
  uint64_t temp_blocks = 0;  // written to temporary files

  /// What the server's log shows besides: what it shows is told by traces, and better.
  InputFidelity::Statements log = InputFidelity::Statements::kNone;

  [[nodiscard]] Micros mean_time() const { return total_time / static_cast<int64_t>(calls); }
};

/// What one poll brings of one database, ready for Detector::on_samples().
struct DatabaseSamples {
  std::string database;
  std::vector<StatementSample> samples;  // by query
};

}  // namespace ectoscope
