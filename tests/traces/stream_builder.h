// Builds streams of executions for grouping tests.  Header only, tests only.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/trace.h"
#include "traces/grouper.h"

namespace ectoscope::testing {

/// Shapes and executions of a small application; times are milliseconds from its start.
class StreamBuilder {
 public:
  StreamBuilder() : queries(1000) {}

  QueryId select_by(const std::string& table, const std::string& column) {
    Query query;
    query.operation = Operation::kSelect;
    query.text = "SELECT * FROM \"" + table + "\" WHERE \"" + column + "\" = $1";
    query.tables = {table};
    query.key_form = KeyForm::kSingle;
    query.key_table = table;
    query.key_column = column;
    query.key_slot = 1;
    return queries.add(std::move(query));
  }

  QueryId list_of(const std::string& table, const std::string& selected) {
    Query query;
    query.operation = Operation::kSelect;
    query.text =
        "SELECT \"id\", \"" + selected + "\" FROM \"" + table + "\" ORDER BY \"id\" LIMIT $1";
    query.tables = {table};
    query.has_limit = true;
    query.limit_slot = 1;
    return queries.add(std::move(query));
  }

  QueryId insert_into(const std::string& table) {
    Query query;
    query.operation = Operation::kInsert;
    query.text = "INSERT INTO \"" + table + "\"";
    query.tables = {table};
    query.inserted_rows = 1;
    return queries.add(std::move(query));
  }

  QueryId control(TransactionVerb verb) {
    Query query;
    query.operation = Operation::kTransaction;
    query.transaction = verb;
    return queries.add(std::move(query));
  }

  /// What Oban writes when a job has come to its end.
  QueryId end_of_job() {
    Query query;
    query.operation = Operation::kUpdate;
    query.text = R"(UPDATE "oban_jobs" SET "state" = $1 WHERE "id" = $2)";
    query.tables = {"oban_jobs"};
    query.system = query.ends_job = true;
    return queries.add(std::move(query));
  }

  /// One execution of 0.2 ms that ends at `at_ms`.
  Execution& run(QueryId query, double at_ms, int64_t key = 0, int32_t pid = 100) {
    Execution execution;
    execution.query = query;
    execution.duration = Micros(200);
    execution.ended_at = EventTime(Micros(1'000'000'000 + static_cast<int64_t>(at_ms * 1000)));
    execution.started_at = execution.ended_at - execution.duration;
    execution.pid = pid;
    execution.session = static_cast<uint64_t>(pid);
    execution.stream = 1;
    execution.key = key;
    execution.key_hash = static_cast<uint64_t>(key) + 1;
    execution.parameters_hash = execution.key_hash;
    execution.flags = Execution::kKeyIsInteger | Execution::kHasParameters;
    execution.integers[0] = key;
    execution.integer_slots = 1;
    executions.push_back(execution);
    return executions.back();
  }

  struct Kept {
    GroupedBy grouped_by = GroupedBy::kNone;
    TraceId id;
    double confidence = 0;
    double several = 0;
    bool truncated = false;
    std::vector<Execution> executions;
    std::vector<ShapeTotal> totals;
  };

  /// Groups everything, in the order of the ends as a log has it.
  std::vector<Kept> group(const Options& options = Options(grouping_options())) {
    std::stable_sort(
        executions.begin(), executions.end(),
        [](const Execution& a, const Execution& b) { return a.ended_at < b.ended_at; });
    std::vector<Kept> traces;
    Grouper grouper(queries, options, [&](const Trace& trace) {
      traces.push_back({trace.grouped_by,
                        trace.id,
                        trace.confidence,
                        trace.several,
                        trace.truncated,
                        {trace.executions.begin(), trace.executions.end()},
                        {trace.totals.begin(), trace.totals.end()}});
    });
    grouper.add(executions);
    grouper.finish();
    stale = grouper.stale();
    return traces;
  }

  QueryTable queries;
  std::vector<Execution> executions;
  uint64_t stale = 0;
};

/// Numbers that look random and are the same each time.
class Scatter {
 public:
  int64_t below(int64_t bound) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<int64_t>((state_ >> 33U) % static_cast<uint64_t>(bound));
  }

 private:
  uint64_t state_ = 42;
};

}  // namespace ectoscope::testing
