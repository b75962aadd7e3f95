// What `analyze --scale` compares: how often each shape ran with less data and with more.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/execution.h"
#include "core/finding.h"
#include "core/query.h"
#include "core/trace.h"
#include "parsers/stream_table.h"

namespace ectoscope {

/// Counts a run's executions by shape, in all and in each trace whose bounds are known.
///
/// Left out: chunks of a cursor, system queries, transaction statements, inserts of several rows,
/// and the rows that a test in the SQL sandbox makes for itself: they may grow.
///
/// Threads: one at a time.  `queries` and `streams` must outlive it.
class GrowthCounter {
 public:
  struct Count {
    QueryId query = kNoQuery;
    QueryId parent = kNoQuery;  // that led to the most in one trace
    uint64_t executions = 0;    // in all
    uint64_t in_traces = 0;     // of them, in a trace told by its tag or transaction
    uint64_t most = 0;          // in one of these traces
    Micros duration{0};         // of all
    EventTime first_seen;
    EventTime last_seen;
    Example example;  // the trace with the most, or nothing
    std::string server;
    std::string application;
  };
  using Counts = std::map<std::pair<std::string, std::string>, Count>;  // database, canonical SQL

  GrowthCounter(const QueryTable& queries, const StreamTable& streams)
      : queries_(queries), streams_(streams) {}

  void add(const Execution& execution);
  void add(const Trace& trace);

  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] const QueryTable& queries() const { return queries_; }

 private:
  [[nodiscard]] bool counted(const Execution& execution) const;
  Count& count_of(QueryId query, StreamId stream);

  const QueryTable& queries_;
  const StreamTable& streams_;
  Counts counts_;
};

/// A finding of kind kScaleKind for each shape that ran more often, in one trace or where no trace
/// is known in all, in `large` than in `small`.  Most first.
std::vector<Finding> compare_growth(const GrowthCounter& small, const GrowthCounter& large);

}  // namespace ectoscope
