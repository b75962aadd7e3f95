// Shapes, traces and a probe for the detectors' tests: a test says what ran, in its order, and
// compares what was found as text.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/amendment.h"
#include "core/hash.h"
#include "core/incident.h"
#include "core/near_miss.h"
#include "detectors/registry.h"

namespace ectoscope {

inline Query shape(Operation operation, const std::string& table, std::string summary) {
  Query query;
  query.operation = operation;
  query.parsed = true;
  query.tables = {table};
  query.summary = std::move(summary);
  query.text = query.summary;
  return query;
}

/// A read of a whole table, whose text names `columns`.
inline Query select_all(const std::string& table, const std::string& columns = "\"id\"") {
  Query query = shape(Operation::kSelect, table, table);
  query.text = "SELECT " + columns + " FROM \"" + table + "\"";
  return query;
}

/// The same statement with a key compared by equality, or with a list of keys.
inline Query by(Query query, const std::string& column, KeyForm form = KeyForm::kSingle) {
  query.key_form = form;
  query.key_table = query.tables[0];
  query.key_column = column;
  query.key_slot = 1;
  query.summary += (form == KeyForm::kList ? " by list of " : " by ") + column;
  query.text += " WHERE \"" + column + "\" = $1";
  return query;
}

inline Query insert(const std::string& table, uint32_t rows = 1) {
  Query query = shape(Operation::kInsert, table, "insert " + table);
  query.inserted_rows = rows;
  return query;
}

inline Query update(const std::string& table) {
  return shape(Operation::kUpdate, table, "update " + table);
}

inline Query erase(const std::string& table) {
  return shape(Operation::kDelete, table, "delete " + table);
}

inline Query verb(TransactionVerb which) {
  Query query = shape(Operation::kTransaction, "", "transaction");
  query.tables.clear();
  query.transaction = which;
  return query;
}

/// `change` is a function of a Query&.
template <typename Change>
Query with(Query query, const std::string& what, Change change) {
  change(query);
  query.summary += ", " + what;
  return query;
}

/// How one statement ran.
struct How {
  Micros duration{1'000};
  Micros gap{1'000};        // until the next one starts; below 0: they overlap
  uint16_t flags = 0;       // Execution::Flags
  uint64_t parameters = 0;  // 0: as the key
  int32_t pid = 100;
  uint64_t session = 0;
  uint64_t transaction = 0;
};

/// Puts a trace together; what it lends lives as long as the builder.
class TraceBuilder {
 public:
  /// `key` stands for the value of the key and of all parameters; 0: not logged.
  TraceBuilder& run(QueryId query, uint64_t key = 0, How how = {}) {
    Execution execution;
    execution.query = query;
    execution.started_at = now_;
    execution.ended_at = now_ + how.duration;
    execution.duration = how.duration;
    execution.flags = how.flags;
    execution.pid = how.pid;
    execution.session = how.session;
    execution.transaction = how.transaction;
    execution.key_hash = hash(key);
    execution.parameters_hash = hash(how.parameters == 0 ? key : how.parameters);
    now_ = execution.ended_at + how.gap;
    executions_.push_back(execution);
    return *this;
  }

  /// Once for each key from 1 to `keys`.
  TraceBuilder& loop(QueryId query, uint64_t keys, How how = {}) {
    for (uint64_t key = 1; key <= keys; ++key)
      run(query, key, how);
    return *this;
  }

  TraceBuilder& repeat(QueryId query, uint64_t key, size_t times, How how = {}) {
    for (size_t i = 0; i < times; ++i)
      run(query, key, how);
    return *this;
  }

  TraceBuilder& wait(Micros time) {
    now_ += time;
    return *this;
  }

  /// As grouping says it.
  TraceBuilder& grouped(GroupedBy rung, double confidence) {
    trace_.grouped_by = rung;
    trace_.confidence = confidence;
    return *this;
  }
  TraceBuilder& several(double probability) {
    trace_.several = probability;
    return *this;
  }
  TraceBuilder& number(uint64_t number) {
    trace_.number = number;
    return *this;
  }
  TraceBuilder& stream(StreamId stream) {
    trace_.stream = stream;
    return *this;
  }
  TraceBuilder& still_open() {
    trace_.closed = false;
    return *this;
  }
  /// The trace's cap: executions after the first `kept` are in the totals only.
  TraceBuilder& keep(size_t kept) {
    kept_ = kept;
    return *this;
  }

  [[nodiscard]] const std::vector<Execution>& executions() const { return executions_; }

  Trace trace() {
    std::map<QueryId, ShapeTotal> totals;
    for (const Execution& execution : executions_) {
      ShapeTotal& total = totals[execution.query];
      total.query = execution.query;
      ++total.executions;
      total.duration += execution.duration;
    }
    totals_.clear();
    for (const auto& [query, total] : totals)
      totals_.push_back(total);
    Trace trace = trace_;
    trace.truncated = executions_.size() > kept_;
    trace.executions = std::span(executions_).first(std::min(kept_, executions_.size()));
    trace.totals = totals_;
    return trace;
  }

 private:
  static uint64_t hash(uint64_t value) { return value == 0 ? 0 : mix_hash(1, value); }

  EventTime now_{std::chrono::seconds(1'700'000'000)};
  std::vector<Execution> executions_;
  std::vector<ShapeTotal> totals_;
  size_t kept_ = SIZE_MAX;
  Trace trace_ = [] {
    Trace trace;
    trace.number = 1;
    trace.grouped_by = GroupedBy::kTraceparent;
    return trace;
  }();
};

inline const DetectorEntry& detector_named(std::string_view name) {
  const auto all = detector_registry();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const DetectorEntry& entry) { return entry.name == name; });
  if (found == all.end()) throw std::invalid_argument("no such detector: " + std::string(name));
  return *found;
}

using Overrides = std::vector<std::pair<std::string_view, double>>;

/// One detector, and what it said.
class Probe final : public Report {
 public:
  explicit Probe(std::string_view name, const Overrides& overrides = {}) {
    const DetectorEntry& entry = detector_named(name);
    Options options(entry.options);
    for (const auto& [key, value] : overrides)
      EXPECT_TRUE(options.set(key, value)) << name << " has no option " << key;
    detector_ = entry.make(options);
  }

  void add(Observation observation) override { observations.push_back(std::move(observation)); }
  void amend(const Amendment& amendment) override { amendments.push_back(amendment); }
  void near_miss(const NearMiss& miss) override { near_misses.push_back(miss); }

  /// As the pipeline does: each execution, then the trace.
  Probe& judge(TraceBuilder& builder, const QueryTable& queries) {
    for (const Execution& execution : builder.executions())
      detector_->on_execution(execution, queries[execution.query], *this);
    return judge(builder.trace(), queries);
  }
  Probe& judge(const Trace& trace, const QueryTable& queries) {
    detector_->on_trace(trace, queries, *this);
    return *this;
  }

  Probe& poll(std::span<const StatementSample> samples, const QueryTable& queries) {
    detector_->on_samples(samples, queries, *this);
    return *this;
  }

  /// As the pipeline does with a plan: just before its execution.
  Probe& explain(const std::shared_ptr<const Plan>& plan, const Execution& execution,
                 const Query& query) {
    detector_->on_plan(plan, execution, query, *this);
    detector_->on_execution(execution, query, *this);
    return *this;
  }

  /// An execution without a plan.
  Probe& run(const Execution& execution, const Query& query) {
    detector_->on_execution(execution, query, *this);
    return *this;
  }

  Probe& judge(const Incident& incident, const QueryTable& queries) {
    detector_->on_incident(incident, queries, *this);
    return *this;
  }

  /// One line an observation: "posts by user_id x5 after users", with the severity unless it is a
  /// warning.
  [[nodiscard]] std::string said(const QueryTable& queries) const {
    std::string text;
    for (const Observation& one : observations) {
      if (!text.empty()) text += '\n';
      const std::string what = one.query == kNoQuery ? "?" : queries[one.query].summary;
      text += what + " x" + std::to_string(one.repeats);
      if (one.parent != kNoQuery) text += " after " + queries[one.parent].summary;
      if (one.severity != Severity::kWarning) text += ": " + std::string(name_of(one.severity));
    }
    return text;
  }

  std::vector<Observation> observations;
  std::vector<Amendment> amendments;
  std::vector<NearMiss> near_misses;

 private:
  std::unique_ptr<Detector> detector_;
};

/// A row of a detector's table: what ran in one request, and what it must say of that.
struct Case {
  const char* why;
  void (*tell)(TraceBuilder&);
  const char* said;  // "" is nothing
};

inline void expect_said(std::string_view detector, const QueryTable& queries,
                        std::span<const Case> cases) {
  for (const Case& one : cases) {
    TraceBuilder trace;
    one.tell(trace);
    EXPECT_EQ(Probe(detector).judge(trace, queries).said(queries), one.said) << one.why;
  }
}

}  // namespace ectoscope
