// Over-fetch: a read without a limit brought more rows than a request can use; where no plan shows
// it, a shape that brings so many in the mean of pg_stat_statements.
//
// Not reported: streams, figures, preloads by a list of keys, and reads with a LIMIT of any size.
#include <functional>
#include <string>
#include <unordered_set>

#include "core/amendment.h"
#include "core/near_miss.h"
#include "core/statement_sample.h"
#include "detectors/registry.h"
#include "detectors/support/held_connections.h"
#include "detectors/support/plan_waste.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr size_t kMaxPlanned = 50'000;  // shapes

constexpr OptionSpec kOptions[] = {
    {"min_rows", Type::kInteger, 2'000, 100, 1e12,
     "Rows of one read without LIMIT; twenty pages of a hundred are more than a page shows."},
    {"min_duration", Type::kDuration, 10'000, 0, 3'600'000'000,
     "Executions that are faster are not worth a change."},
    {"critical_rows", Type::kInteger, 100'000, 100, 1e12,
     "From so many rows on, and critical_duration, the finding is critical: structs of that many "
     "rows are hundreds of megabytes."},
    {"critical_duration", Type::kDuration, 1'000'000, 1'000, 3'600'000'000,
     "Database time from which on so many rows are critical."},
};

class OverFetch final : public Detector {
 public:
  explicit OverFetch(const Options& options)
      : min_rows_(static_cast<double>(options.integer("min_rows"))),
        critical_rows_(static_cast<double>(options.integer("critical_rows"))),
        min_duration_(options.duration("min_duration")),
        critical_duration_(options.duration("critical_duration")) {}

  void on_plan(const std::shared_ptr<const Plan>& plan, const Execution& execution,
               const Query& query, Report& report) override {
    if (!plan->analyzed || bounded(query)) return;
    note_planned(query);
    if (execution.duration < min_duration_) return;
    if (execution.has(Execution::kFetch)) return;  // Repo.stream takes it in pieces
    const PlanNode& root = plan->root();
    if (root.rows < min_rows_) {
      if (root.rows * 2 >= min_rows_) {
        report.near_miss({query.id, kNoQuery, "min_rows", root.rows, min_rows_,
                          "rows of one read without LIMIT"});
      }
      return;
    }
    Observation observation = observe(plan, execution, query, critical_duration_);
    if (root.rows < critical_rows_) observation.severity = Severity::kWarning;
    // A cursor's chunks may have been too fast to be logged.
    if (execution.has(Execution::kPlanOnly)) observation.confidence = 0.7;
    observation.remedy = Remedy::kBoundRows;
    observation.evidence["rows_returned"] = root.rows;
    observation.evidence["row_bytes"] = root.plan_width;
    report.add(std::move(observation));
    held_.watch(execution);
  }

  void on_execution(const Execution& execution, const Query& query, Report& report) override {
    const auto held = held_.note(execution, query);
    if (!held) return;
    report.amend({held->query, held->started_at, held->pid, held->until, "connection_held_ms",
                  to_ms(held->after)});
  }

  void on_samples(std::span<const StatementSample> samples, const QueryTable& queries,
                  Report& report) override {
    for (const StatementSample& sample : samples) {
      const Query& query = queries[sample.query];
      if (bounded(query) || sample.mean_time() < min_duration_) continue;
      if (planned_.contains(key_of(query))) continue;  // plans tell of each execution
      const double rows = static_cast<double>(sample.rows) / static_cast<double>(sample.calls);
      if (rows >= min_rows_) {
        report.add(describe(sample, rows));
      } else if (rows * 2 >= min_rows_) {
        report.near_miss({sample.query, kNoQuery, "min_rows", rows, min_rows_,
                          "rows of one read without LIMIT, in the mean"});
      }
    }
  }

 private:
  static bool bounded(const Query& query) {
    return query.operation != Operation::kSelect || query.has_limit || query.aggregate ||
           query.key_form == KeyForm::kList || query.system;
  }

  /// The log's shape of a statement may be another than that of pg_stat_statements, which has no
  /// literals.
  static size_t key_of(const Query& query) { return std::hash<std::string>{}(query.canonical); }

  void note_planned(const Query& query) {
    if (planned_.size() >= kMaxPlanned) planned_.clear();
    planned_.insert(key_of(query));
  }

  [[nodiscard]] Observation describe(const StatementSample& sample, double rows) const {
    const Micros mean = sample.mean_time();
    const bool critical = rows >= critical_rows_ && mean >= critical_duration_;
    Observation observation;
    observation.query = sample.query;
    observation.severity = critical ? Severity::kCritical : Severity::kWarning;
    observation.confidence = 0.7;  // a mean, and a stream's rows may be counted as one read's
    observation.remedy = Remedy::kBoundRows;
    observation.started_at = sample.from;
    observation.ended_at = sample.to;
    observation.statements = sample.calls;
    observation.repeats = 1;
    observation.database_time = sample.total_time;
    observation.evidence["rows_returned"] = rows;
    return observation;
  }

  const double min_rows_;
  const double critical_rows_;
  const Micros min_duration_;
  const Micros critical_duration_;
  HeldConnections held_;
  std::unordered_set<size_t> planned_;  // shapes whose plans the log shows, by key_of()
};

std::string summarize(const Finding& finding) {
  const auto rows = finding.evidence.find("rows_returned");
  std::string text = finding.query.summary + " has no LIMIT and returned ";
  text += rows == finding.evidence.end() ? std::string("many")
                                         : grouped(static_cast<uint64_t>(rows->second));
  text += " rows in the mean, " + counted(finding.occurrences, "time", "times");
  if (const auto held = finding.evidence.find("connection_held_ms");
      held != finding.evidence.end()) {
    text += "; when it had sent them, its connection was held for another " +
            grouped(static_cast<uint64_t>(held->second)) + " ms to read them";
  }
  return text + ".";
}

}  // namespace

DetectorEntry describe_over_fetch() {
  return {"over_fetch",
          "Over-fetching",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<OverFetch>(options);
          },
          &summarize,
          kHearsExecutions | kHearsPlans | kHearsSamples};
}

}  // namespace ectoscope
