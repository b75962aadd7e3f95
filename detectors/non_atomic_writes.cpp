// Non-atomic writes: one request writes to several tables, each write for itself, so that a crash
// between them leaves the first without the second.
#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "detectors/registry.h"
#include "detectors/support/pauses.h"
#include "detectors/support/repeats.h"
#include "detectors/support/transactions.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_tables", Type::kInteger, 2, 2, 100,
     "So many tables written to outside a transaction by one request."},
    {"longest_pause", Type::kDuration, 5'000'000, 1'000, 600'000'000,
     "What a tagged request writes after so long a silence is another event's; a call of a slow "
     "service between two writes takes less."},
    {"min_confidence", Type::kRatio, 0.6, 0, 1,
     "How sure grouping must be that the writes are one request's; lower finds more in untagged "
     "logs, and more that is none."},
};

class NonAtomicWrites final : public Detector {
 public:
  explicit NonAtomicWrites(const Options& options)
      : min_tables_(static_cast<size_t>(options.integer("min_tables"))),
        longest_pause_(options.duration("longest_pause")),
        min_confidence_(options.ratio("min_confidence")) {}

  void on_trace(const Trace& trace, const QueryTable& queries, Report& report) override {
    std::set<std::string_view> tables;
    for (const ShapeTotal& total : trace.totals) {
      const Query& query = queries[total.query];
      if (query.transaction == TransactionVerb::kBegin) transactions_seen_ = true;
      if (writes(query)) tables.insert(query.tables.front());
    }
    if (tables.size() < min_tables_ || trace.grouped_by == GroupedBy::kTransaction ||
        grouping_confidence(trace) < min_confidence_ || is_sandbox(trace, queries)) {
      return;
    }
    const Loose worst = most_tables(trace, queries);
    if (worst.tables.size() >= min_tables_) report.add(describe(trace, worst, queries));
  }

 private:
  struct Loose {
    std::vector<const Execution*> writes;  // outside of transactions, none after a long pause
    std::set<std::string_view> tables;
  };

  [[nodiscard]] Loose most_tables(const Trace& trace, const QueryTable& queries) const {
    const Pauses pauses(trace, queries, longest_pause_);
    const std::vector<bool> inside = in_transaction(trace, queries);
    Loose most;
    Loose loose;
    for (size_t i = 0; i < inside.size(); ++i) {
      if (i > 0 && pauses.part(i) != pauses.part(i - 1)) {
        if (loose.tables.size() > most.tables.size()) most = std::move(loose);
        loose = {};
      }
      const Execution& execution = trace.executions[i];
      const Query& query = queries[execution.query];
      if (inside[i] || !writes(query) || !alone(execution)) continue;
      loose.writes.push_back(&execution);
      loose.tables.insert(query.tables.front());
    }
    return loose.tables.size() > most.tables.size() ? loose : most;
  }

  /// Whether a BEGIN before it would have been seen: where only slow statements are logged, none
  /// is.
  [[nodiscard]] bool alone(const Execution& execution) const {
    return transactions_seen_ || execution.transaction != 0;
  }

  static Observation describe(const Trace& trace, const Loose& worst, const QueryTable& queries) {
    const std::vector<const Execution*>& loose = worst.writes;
    const Execution& first = *loose.front();
    const std::string& table = queries[first.query].tables.front();
    const auto other = std::find_if(loose.rbegin(), loose.rend(), [&](const Execution* it) {
      return queries[it->query].tables.front() != table;
    });
    Observation observation;
    observation.parent = first.query;
    observation.query = (*other)->query;
    observation.table = table;
    observation.started_at = first.started_at;
    observation.ended_at = first.ended_at;
    if (trace.grouped_by == GroupedBy::kChain) {  // the read that handed its key on leads to them
      observation.started_at = trace.executions.front().started_at;
      if (const int32_t pid = trace.executions.front().pid; pid != 0) observation.pids = {pid};
    }
    for (const Execution* write : loose) {
      observation.started_at = std::min(observation.started_at, write->started_at);
      observation.ended_at = std::max(observation.ended_at, write->ended_at);
      if (write->pid != 0) observation.pids.push_back(write->pid);
      observation.database_time += write->duration;
    }
    auto& pids = observation.pids;
    std::sort(pids.begin(), pids.end());
    pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
    observation.statements = loose.size();
    observation.repeats = loose.size();
    observation.confidence = grouping_confidence(trace);
    observation.remedy = Remedy::kMulti;
    observation.evidence["tables"] = static_cast<double>(worst.tables.size());
    observation.evidence["writes"] = static_cast<double>(loose.size());
    return observation;
  }

  const size_t min_tables_;
  const Micros longest_pause_;
  const double min_confidence_;
  bool transactions_seen_ = false;
};

std::string summarize(const Finding& finding) {
  const auto tables = finding.evidence.find("tables");
  const uint64_t count =
      tables == finding.evidence.end() ? 2 : static_cast<uint64_t>(std::llround(tables->second));
  return counted(finding.occurrences, "request", "requests") + " wrote to " + grouped(count) +
         " tables outside a transaction, from " +
         (finding.parent_query ? finding.parent_query->summary : finding.query.summary) + " to " +
         finding.query.summary + ".";
}

}  // namespace

DetectorEntry describe_non_atomic_writes() {
  return {"non_atomic_writes",
          "Non-atomic writes",
          Occurrence::kTrace,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<NonAtomicWrites>(options);
          },
          &summarize,
          kHearsTraces};
}

}  // namespace ectoscope
