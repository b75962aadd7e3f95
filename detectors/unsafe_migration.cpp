// Unsafe migrations: schema changes that keep the application waiting, or break what runs.
#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include "core/ddl.h"
#include "detectors/registry.h"
#include "detectors/support/repeats.h"
#include "detectors/support/transactions.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_lock", Type::kDuration, 200'000, 0, 3'600'000'000,
     "A statement that works behind its lock for less goes unnoticed. 0 names every unsafe form, "
     "as a test run's small tables need it."},
    {"critical_lock", Type::kDuration, 5'000'000, 1'000, 3'600'000'000,
     "From here on requests time out behind the lock."},
};

// Of Ddl: takes a lock that keeps writes or reads waiting while it works.
constexpr uint16_t kBlocks = kDdlBuildsIndex | kDdlVolatileDefault | kDdlChangesType |
                             kDdlSetsNotNull | kDdlForeignKey | kDdlCheck | kDdlUnique |
                             kDdlDropsIndex | kDdlRewrites;

bool is_migrators(const Query& query) {
  return !query.tables.empty() && query.tables.front() == "schema_migrations";
}

/// A write of Ecto's migrator: what runs beside it is a migration.
bool marks_migration(const Query& query) {
  return query.system && is_migrators(query) &&
         (query.operation == Operation::kInsert || query.operation == Operation::kDelete);
}

class UnsafeMigration final : public Detector {
 public:
  explicit UnsafeMigration(const Options& options)
      : min_lock_(options.duration("min_lock")),
        critical_lock_(options.duration("critical_lock")) {}

  /// Outside a transaction a lock is held for as long as its statement runs.
  void on_execution(const Execution& execution, const Query& query, Report& report) override {
    if (query.system && is_migrators(query)) {
      if (migrating_.size() >= kMaxSessions) migrating_.clear();
      migrating_[execution.stream] = execution.ended_at;
    }
    if (query.transaction == TransactionVerb::kBegin) {
      if (open_.size() >= kMaxSessions) open_.clear();
      open_[execution.session] = execution.transaction;
    } else if (ends_transaction(query)) {
      open_.erase(execution.session);
    } else if (query.ddl != 0 && !open_.contains(execution.session) && of_a_migration(execution)) {
      judge(execution, query, execution.duration, report);
    }
  }

  void on_trace(const Trace& trace, const QueryTable& queries, Report& report) override {
    bool changes_schema = false;
    bool migrates = false;
    for (const ShapeTotal& total : trace.totals) {
      const Query& query = queries[total.query];
      changes_schema = changes_schema || query.ddl != 0;
      migrates = migrates || marks_migration(query);
    }
    if (!changes_schema && !migrates) return;
    Migration migration;
    migration.inside = in_transaction(trace, queries);
    migration.changes_schema = changes_schema;
    read(trace, queries, migration);
    for (size_t i = 0; i < migration.inside.size(); ++i) {
      const Execution& execution = trace.executions[i];
      const Query& query = queries[execution.query];
      if (!migration.inside[i] || query.ddl == 0 || is_new(query, migration)) continue;
      const Micros held = migration.ends[execution.session] - execution.started_at;
      judge(execution, query, held, report, migration.version);
    }
    if (migrates) judge_changes(trace, queries, migration, report);
  }

 private:
  struct Migration {
    std::vector<bool> inside;
    bool changes_schema = false;
    int64_t version = 0;                 // 0: not known
    std::map<uint64_t, EventTime> ends;  // of the transaction, by session
    std::vector<std::string_view> created;
  };

  static constexpr size_t kMaxSessions = 4096;

  /// A person's or another tool's DDL; or that of a migration without a transaction, beside which
  /// the migrator keeps its table.  What an application does through Repo.query at run time
  /// (partitions, imports) is no migration.
  [[nodiscard]] bool of_a_migration(const Execution& execution) const {
    constexpr std::chrono::minutes kStill{10};
    if (execution.has(Execution::kSimple)) return true;
    const auto migrator = migrating_.find(execution.stream);
    return migrator != migrating_.end() && execution.started_at - migrator->second < kStill;
  }

  static void read(const Trace& trace, const QueryTable& queries, Migration& migration) {
    for (size_t i = 0; i < migration.inside.size(); ++i) {
      const Execution& execution = trace.executions[i];
      const Query& query = queries[execution.query];
      EventTime& end = migration.ends[execution.session];
      end = std::max(end, execution.ended_at);
      if ((query.ddl & kDdlCreatesTable) != 0 && migration.inside[i] && !query.tables.empty()) {
        migration.created.push_back(query.tables.front());
      }
      if (marks_migration(query) && (execution.integer_slots & 1U) != 0) {
        migration.version = execution.integers[0];
      }
    }
  }

  /// Nobody else sees a table before the transaction that creates it has ended.
  static bool is_new(const Query& query, const Migration& migration) {
    return !query.tables.empty() && std::find(migration.created.begin(), migration.created.end(),
                                              query.tables.front()) != migration.created.end();
  }

  void judge(const Execution& execution, const Query& query, Micros held, Report& report,
             int64_t version = 0) const {
    const bool renames = (query.ddl & kDdlRenames) != 0;
    const bool blocks = (query.ddl & kBlocks) != 0 && execution.duration >= min_lock_;
    if (query.system || (!renames && !blocks)) return;
    Observation observation;
    observation.query = query.id;
    observation.started_at = execution.started_at;
    observation.ended_at = execution.ended_at;
    if (execution.pid != 0) observation.pids = {execution.pid};
    observation.statements = 1;
    observation.repeats = 1;
    observation.database_time = execution.duration;
    observation.remedy = Remedy::kSafeMigration;
    observation.severity = held >= critical_lock_ ? Severity::kCritical : Severity::kWarning;
    if (renames) observation.evidence["renames"] = 1;
    observation.evidence["max_lock_ms"] = to_ms(std::max(held, execution.duration));
    if (version != 0) observation.evidence["max_migration_version"] = static_cast<double>(version);
    report.add(std::move(observation));
  }

  /// Data changes of a migration, by shape.
  void judge_changes(const Trace& trace, const QueryTable& queries, const Migration& migration,
                     Report& report) const {
    std::map<QueryId, Observation> changes;
    for (size_t i = 0; i < migration.inside.size(); ++i) {
      const Execution& execution = trace.executions[i];
      const Query& query = queries[execution.query];
      if (!migration.inside[i] || !writes(query) || is_new(query, migration)) continue;
      Observation& change = changes[query.id];
      if (change.query == kNoQuery) {
        change.query = query.id;
        change.started_at = execution.started_at;
        change.remedy = Remedy::kSafeMigration;
        if (execution.pid != 0) change.pids = {execution.pid};
      }
      change.ended_at = execution.ended_at;
      change.database_time += execution.duration;
      ++change.statements;
      ++change.repeats;
    }
    for (auto& [query, change] : changes) {
      const bool harmless = !migration.changes_schema && change.database_time < min_lock_;
      change.severity = harmless ? Severity::kInfo : Severity::kWarning;
      change.evidence["data_changes"] = static_cast<double>(change.repeats);
      if (migration.version != 0) {
        change.evidence["max_migration_version"] = static_cast<double>(migration.version);
      }
      report.add(std::move(change));
    }
  }

  const Micros min_lock_;
  const Micros critical_lock_;
  std::unordered_map<uint64_t, uint64_t> open_;  // transactions under way, by session
  std::map<StreamId, EventTime> migrating_;      // when a stream's migrator last spoke
};

std::string summarize(const Finding& finding) {
  const std::string table = finding.tables.empty() ? "a table" : finding.tables.front();
  if (finding.evidence.contains("data_changes")) {
    return "A migration changed data of " + table +
           " in its own transaction: " + finding.query.summary + ", " +
           counted(finding.statements, "time", "times") + ".";
  }
  if (finding.evidence.contains("renames")) {
    return finding.query.summary + " renamed what running code still calls by its old name.";
  }
  const auto lock = finding.evidence.find("max_lock_ms");
  const double held = lock == finding.evidence.end() ? 0 : lock->second;
  return finding.query.summary + " locked " + table + " for " +
         spoken(Micros(static_cast<int64_t>(held * 1000))) + ".";
}

}  // namespace

DetectorEntry describe_unsafe_migration() {
  return {"unsafe_migration",
          "Unsafe migrations",
          Occurrence::kTrace,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<UnsafeMigration>(options);
          },
          &summarize,
          kHearsExecutions | kHearsTraces};
}

}  // namespace ectoscope
