// Slow queries: executions whose parse, bind and execute together reach the limit; where no log
// shows them, shapes whose mean in pg_stat_statements does.
#include <algorithm>
#include <utility>

#include "core/near_miss.h"
#include "core/plan.h"
#include "core/statement_sample.h"
#include "detectors/registry.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_duration", Type::kDuration, 100'000, 1'000, 3'600'000'000,
     "Executions that take this long or longer are slow; 100 ms is what a person notices."},
    {"critical_duration", Type::kDuration, 1'000'000, 1'000, 3'600'000'000,
     "From here on the finding is critical."},
};

class SlowQuery final : public Detector {
 public:
  explicit SlowQuery(const Options& options)
      : min_duration_(options.duration("min_duration")),
        critical_duration_(options.duration("critical_duration")) {}

  void on_plan(const std::shared_ptr<const Plan>& plan, const Execution& execution,
               const Query& query, Report& /*report*/) override {
    plan_ = plan;  // its execution comes next
    planned_ = {query.id, execution.position};
  }

  void on_execution(const Execution& execution, const Query& query, Report& report) override {
    const std::shared_ptr<const Plan> plan = std::exchange(plan_, nullptr);
    if (execution.has(Execution::kNoDuration)) return;
    if (execution.duration < min_duration_) {
      if (execution.duration * 2 >= min_duration_) {
        report.near_miss({query.id, kNoQuery, "min_duration",
                          static_cast<double>(execution.duration.count()),
                          static_cast<double>(min_duration_.count()), "the time of one execution"});
      }
      return;
    }
    Observation observation;
    observation.query = query.id;
    observation.severity =
        execution.duration >= critical_duration_ ? Severity::kCritical : Severity::kWarning;
    observation.confidence = 1;
    observation.remedy = Remedy::kReadPlan;
    observation.started_at = execution.started_at;
    observation.ended_at = execution.ended_at;
    if (execution.pid != 0) observation.pids = {execution.pid};
    observation.statements = 1;
    observation.repeats = 1;
    observation.database_time = execution.duration;
    if (plan != nullptr && planned_ == std::pair(query.id, execution.position)) {
      add_plan(plan, observation);
    }
    report.add(std::move(observation));
  }

  void on_samples(std::span<const StatementSample> samples, const QueryTable& /*queries*/,
                  Report& report) override {
    for (const StatementSample& sample : samples) {
      // The log tells of each execution; a mean of them would count it twice.
      if (sample.log == InputFidelity::Statements::kAll ||
          sample.log == InputFidelity::Statements::kSlowOnly) {
        return;
      }
      const Micros mean = sample.mean_time();
      if (mean < min_duration_) continue;
      Observation observation;
      observation.query = sample.query;
      observation.severity = mean >= critical_duration_ ? Severity::kCritical : Severity::kWarning;
      observation.confidence = 0.9;  // a mean: few very slow ones may make it
      observation.remedy = Remedy::kReadPlan;
      observation.started_at = sample.from;
      observation.ended_at = sample.to;
      observation.statements = sample.calls;
      observation.repeats = 1;
      observation.database_time = sample.total_time;
      observation.evidence["max_mean_ms"] = to_ms(mean);
      report.add(std::move(observation));
    }
  }

 private:
  static void add_plan(const std::shared_ptr<const Plan>& plan, Observation& observation) {
    observation.plan = plan;
    observation.evidence["plan_cost"] = plan->root().total_cost;
    if (!plan->analyzed) return;
    double removed = 0;
    for (const PlanNode& node : plan->nodes)
      removed += node.removed_by_filter + node.removed_by_join_filter + node.removed_by_recheck;
    observation.evidence["rows_returned"] = plan->root().rows;
    observation.evidence["rows_removed"] = removed;
  }

  const Micros min_duration_;
  const Micros critical_duration_;
  std::shared_ptr<const Plan> plan_;        // of the execution to come
  std::pair<QueryId, uint64_t> planned_{};  // its shape and position
};

std::string summarize(const Finding& finding) {
  if (finding.evidence.contains("max_mean_ms") && !finding.evidence.contains("max_ms")) {
    return finding.query.summary + " takes " +
           spoken(finding.database_time /
                  std::max<int64_t>(1, static_cast<int64_t>(finding.occurrences))) +
           " in the mean, over " + counted(finding.occurrences, "call", "calls") +
           " that pg_stat_statements counted.";
  }
  Micros longest{0};
  for (const Example& example : finding.examples)
    longest = std::max(longest, example.duration);
  const auto mean = finding.occurrences == 0
                        ? Micros(0)
                        : finding.database_time / static_cast<int64_t>(finding.occurrences);
  return finding.query.summary + " was slow " + counted(finding.occurrences, "time", "times") +
         ": " + spoken(mean) + " in the mean, " + spoken(longest) + " at worst.";
}

}  // namespace

DetectorEntry describe_slow_query() {
  return {"slow_query",
          "Slow queries",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<SlowQuery>(options);
          },
          &summarize};
}

}  // namespace ectoscope
