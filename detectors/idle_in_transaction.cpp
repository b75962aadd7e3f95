// Idle in transaction: the application did other work, an HTTP call say, while its transaction held
// a connection and its locks.
#include <algorithm>
#include <map>

#include "core/incident.h"
#include "detectors/registry.h"
#include "detectors/support/incidents.h"
#include "detectors/support/repeats.h"
#include "detectors/support/transactions.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_idle", Type::kDuration, 500'000, 10'000, 3'600'000'000,
     "A gap between two statements of one transaction from which on other work was done in it; a "
     "busy scheduler or a garbage collection takes up to 400 ms."},
    {"min_idle_locking", Type::kDuration, 1'000'000, 10'000, 3'600'000'000,
     "The same after SELECT ... FOR UPDATE, which is there to hold a row over some work."},
    {"critical_idle", Type::kDuration, 5'000'000, 100'000, 86'400'000'000,
     "From here on, after a write or a locking read, the finding is critical."},
};

class IdleInTransaction final : public Detector {
 public:
  explicit IdleInTransaction(const Options& options)
      : min_idle_(options.duration("min_idle")),
        min_idle_locking_(options.duration("min_idle_locking")),
        critical_idle_(options.duration("critical_idle")) {}

  void on_trace(const Trace& trace, const QueryTable& queries, Report& report) override {
    if (trace.grouped_by == GroupedBy::kChain || trace.truncated) return;
    const bool begins =
        std::any_of(trace.totals.begin(), trace.totals.end(), [&](const ShapeTotal& total) {
          return queries[total.query].transaction == TransactionVerb::kBegin;
        });
    if (!begins && trace.grouped_by != GroupedBy::kTransaction) return;
    if (is_sandbox(trace, queries)) return;
    const std::vector<bool> inside = in_transaction(trace, queries);
    std::map<uint64_t, const Execution*> before;  // by session, within its transaction
    std::map<uint64_t, bool> locked;              // a statement so far took row locks
    for (size_t i = 0; i < inside.size(); ++i) {
      const Execution& execution = trace.executions[i];
      if (!inside[i] || execution.session == 0) continue;
      const Query& query = queries[execution.query];
      const Execution*& last = before[execution.session];
      bool& locks = locked[execution.session];
      if (query.transaction == TransactionVerb::kBegin) last = nullptr, locks = false;
      if (last != nullptr) judge(trace, {*last, execution, locks}, queries, report);
      if (writes(query) || query.locks_rows || query.operation == Operation::kDdl) locks = true;
      const bool over = ends_transaction(query);
      last = over ? nullptr : &execution;
    }
  }

  void on_incident(const Incident& incident, const QueryTable& /*queries*/,
                   Report& report) override {
    if (incident.kind != IncidentKind::kIdleTimeout) return;
    Observation observation = observe(incident);
    observation.severity = Severity::kCritical;
    observation.remedy = Remedy::kShortTransaction;
    observation.evidence["total_timeouts"] = 1;
    report.add(std::move(observation));
  }

 private:
  struct Gap {
    const Execution& before;
    const Execution& after;
    bool locks = false;  // are held over it
  };

  void judge(const Trace& trace, const Gap& gap, const QueryTable& queries, Report& report) const {
    const auto& [before, after, locks] = gap;
    const Query& first = queries[before.query];
    const Query& second = queries[after.query];
    const Micros idle = after.started_at - before.ended_at;
    Micros least =
        first.locks_rows && first.operation == Operation::kSelect ? min_idle_locking_ : min_idle_;
    if (before.has(Execution::kCoarseTime)) least += std::chrono::seconds(1);
    if (idle < least) return;
    // After BEGIN nothing is held yet; a migrator waits by design; a cursor is read at the pace of
    // its work; and what was rolled back may have been a statement that failed, which is not here.
    if (first.system || first.transaction == TransactionVerb::kBegin ||
        before.has(Execution::kFetch) || second.transaction == TransactionVerb::kRollback ||
        second.transaction == TransactionVerb::kRollbackTo) {
      return;
    }
    report.add(describe(trace, gap, queries));
  }

  Observation describe(const Trace& trace, const Gap& gap, const QueryTable& queries) const {
    const auto& [before, after, locks] = gap;
    const Micros idle = after.started_at - before.ended_at;
    const bool last = queries[after.query].operation == Operation::kTransaction;
    Observation observation;
    observation.query = last ? before.query : after.query;
    if (!last) observation.parent = before.query;
    observation.started_at = before.started_at;
    observation.ended_at = after.ended_at;
    if (before.pid != 0) observation.pids = {before.pid};
    observation.statements = 2;
    observation.repeats = 1;
    observation.confidence = grouping_confidence(trace);
    observation.remedy = Remedy::kShortTransaction;
    observation.severity =
        locks && idle >= critical_idle_ ? Severity::kCritical : Severity::kWarning;
    observation.evidence["idle_ms"] = to_ms(idle);
    observation.evidence["max_idle_ms"] = to_ms(idle);
    observation.evidence["max_locks_held"] = locks ? 1 : 0;
    return observation;
  }

  const Micros min_idle_;
  const Micros min_idle_locking_;
  const Micros critical_idle_;
};

std::string summarize(const Finding& finding) {
  const auto idle = finding.evidence.find("max_idle_ms");
  if (idle == finding.evidence.end()) {
    return counted(finding.occurrences, "session was", "sessions were") +
           " ended for being idle in a transaction.";
  }
  return counted(finding.occurrences, "transaction", "transactions") + " stood idle for up to " +
         spoken(Micros(static_cast<int64_t>(idle->second * 1000))) +
         (finding.parent_query
              ? " between " + finding.parent_query->summary + " and " + finding.query.summary
              : " after " + finding.query.summary) +
         ".";
}

}  // namespace

DetectorEntry describe_idle_in_transaction() {
  return {"idle_in_transaction",
          "Idle in transaction",
          Occurrence::kTrace,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<IdleInTransaction>(options);
          },
          &summarize,
          kHearsTraces | kHearsIncidents};
}

}  // namespace ectoscope
