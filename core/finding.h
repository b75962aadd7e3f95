// What detectors say (Observation) and what people read (Finding).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/trace.h"

namespace ectoscope {

struct Amendment;  // core/amendment.h
struct NearMiss;   // core/near_miss.h
struct Plan;       // core/plan.h

enum class Severity : uint8_t { kInfo, kWarning, kCritical };

/// "info", "warning", "critical".
std::string_view name_of(Severity severity);

/// The change that mends a problem; advice/ turns it into Ecto's words for the shapes at hand.
enum class Remedy : uint8_t {
  kNone,
  kPreload,  // one query for the association of all parents
  kGroupBy,  // one aggregate for all parents
  kInsertAll,
  kUpsertAll,  // insert_all with on_conflict
  kUpdateAll,
  kDeleteAll,
  kMemoize,      // load once, pass it on
  kSharedMount,  // LiveView's double mount: assign_new, connected?
  kReadPlan,     // slow: look at its plan first
  kAddIndex,     // the columns are in Observation::index
  kTrigramIndex,
  kExpressionIndex,
  kRewritePredicate,  // the column bare on one side, so that its index serves
  kKeyset,            // page by the last key instead of OFFSET
  kBoundRows,         // limit:, select: fewer columns, Repo.stream
  kPlanPerValue,      // prepare: :unnamed or plan_cache_mode
  kAnalyze,
  kWorkMem,
  kMulti,             // Ecto.Multi or Repo.transaction around the writes
  kShortTransaction,  // move the other work out of Repo.transaction
  kLockOrder,
  kRetry,
  kRaiseTimeout,
  kHandleConstraint,  // unique_constraint and the like in the changeset, on_conflict
  kPoolSize,
  kSafeMigration,
  kInsideIndex,  // GIN or GiST: for what stands inside a column
};

struct IndexAdvice {
  std::string table;
  std::vector<std::string> columns;  // plain names or expressions, as CREATE INDEX takes them
  std::vector<std::string> order;    // "asc" or "desc", one a column
  std::vector<std::string> include;
  std::optional<std::string> where;
};

/// Who else had part in an incident: the holder of a lock, the other side of a deadlock.
struct OtherSide {
  TraceId trace_id;           // unknown: the log does not have it
  std::vector<int32_t> pids;  // empty: there is no other side
};

/// One occurrence of a problem: of a trace, an execution or an incident.  Holds no literal.
struct Observation {
  QueryId query = kNoQuery;   // the shape at fault (the child of an N+1)
  QueryId parent = kNoQuery;  // the query that led to it, where one is known
  Severity severity = Severity::kWarning;
  double confidence = 1.0;  // 0..1
  Remedy remedy = Remedy::kNone;
  EventTime started_at;                    // the parent's start, else the first child's
  EventTime ended_at;                      // the last child's end
  std::vector<int32_t> pids;               // ascending, each once
  uint64_t statements = 0;                 // that it is about: an N+1's children
  uint64_t leading = 0;                    // that only led to them: the parent, where there is one
  uint64_t repeats = 0;                    // executions of `query` that the problem is about
  uint64_t excess_statements = 0;          // those that the remedy would do without
  Micros database_time{0};                 // spent in `query`
  Micros saved{0};                         // of it, what the remedy would save
  std::map<std::string, double> evidence;  // the name carries the unit
  std::string table;                       // what it is about; empty: the query's own first table
  std::vector<std::string> columns;        // "posts.user_id"; empty: the query's own key
  std::string constraint;                  // the name of the one that was violated
  TraceId trace_id;                        // of an incident, where the log has it
  OtherSide other;                         // of an incident
  std::optional<IndexAdvice> index;
  std::shared_ptr<const Plan> plan;  // of this occurrence; null when there is none
};

/// Where a detector puts what it found; the caller adds kind, trace and server.
class Report {
 public:
  virtual ~Report() = default;
  virtual void add(Observation observation) = 0;

  /// Of an execution of the same server and database.
  virtual void amend(const Amendment& /*amendment*/) {}

  /// What would have been added, had one threshold been another: the answer to --why.
  virtual void near_miss(const NearMiss& /*miss*/) {}
};

struct QueryFacts {         // of a Query, as reports show it
  std::string fingerprint;  // hex16
  std::optional<int64_t> queryid;
  std::string text;
  std::string summary;
};

/// What says that an index helps.
struct Verification {
  enum class By : uint8_t { kNone, kPlan, kHypopg };

  By by = By::kNone;
  double cost_before = 0;  // the planner's; both 0 unless by HypoPG
  double cost_after = 0;
};

struct Fix {
  std::string advice;  // imperative, one or two sentences
  std::string ecto;    // code to write; empty when there is none
  std::string migration;
  std::string sql;
  std::optional<IndexAdvice> index;
  std::optional<Verification> verified;
};

/// What advice is asked for: one problem, and its worst occurrence.  Lives for one call.
struct AdviceRequest {
  std::string_view kind;
  Remedy remedy = Remedy::kNone;
  const Query* query = nullptr;        // null: no one statement is at fault
  const Query* parent = nullptr;       // null: not known
  const Observation* worst = nullptr;  // its plan, index, columns, evidence; null: not known
};

struct Example {
  TraceId trace_id;  // unknown: grouping had no usable one
  GroupedBy grouped_by = GroupedBy::kNone;
  EventTime started_at;
  EventTime ended_at;
  std::vector<int32_t> pids;
  uint64_t statements = 0;
  Micros duration{0};  // ended_at - started_at for traces, the execution's own otherwise
  OtherSide other;     // of an incident that two had part in
};

/// One bar of a waterfall.
struct TimelineStep {
  QueryId query = kNoQuery;
  Micros offset{0};  // from the example's start
  Micros duration{0};
};

/// One problem, with all that is known of it.  Holds no literal.
struct Finding {
  std::string id;  // kind + '-' + hex16
  std::string kind;
  Severity severity = Severity::kWarning;
  double confidence = 1.0;
  std::string server;
  std::string database;
  std::vector<std::string> applications;                 // sorted
  std::vector<std::pair<std::string, uint64_t>> routes;  // route, traces; most first, then by name
  std::vector<std::pair<std::string, uint64_t>> places;  // "lib/shop.ex:12", likewise
  std::string summary;
  QueryId query_id = kNoQuery;
  QueryId parent_id = kNoQuery;
  QueryFacts query;
  std::optional<QueryFacts> parent_query;
  std::vector<std::string> tables;
  std::vector<std::string> columns;  // "posts.user_id"
  uint64_t occurrences = 0;
  EventTime first_seen;
  EventTime last_seen;
  uint64_t statements = 0;  // that it is about: no parents
  uint64_t excess_statements = 0;
  Micros database_time{0};
  Micros saved{0};
  std::map<std::string, double> evidence;
  Fix fix;
  std::vector<Example> examples;  // worst first
  uint64_t examples_left_out = 0;
  std::vector<TimelineStep> timeline;  // of examples[0], by offset, bounded
  std::shared_ptr<const Plan> plan;    // of examples[0]; null when none was logged
};

}  // namespace ectoscope
