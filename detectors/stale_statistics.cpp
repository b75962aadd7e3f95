// Stale statistics: the planner expected a hundred times fewer or more rows of a table than came.
#include "core/near_miss.h"
#include "detectors/registry.h"
#include "detectors/support/estimates.h"
#include "detectors/support/plan_waste.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_ratio", Type::kInteger, 100, 2, 1e9,
     "How many times the rows differ from their estimate; at ten the plan is often still right."},
    {"min_rows", Type::kInteger, 1'000, 1, 1e12,
     "The larger of both; with fewer rows no plan is slow."},
    {"min_duration", Type::kDuration, 10'000, 0, 3'600'000'000,
     "Executions that are faster chose well enough."},
    {"critical_duration", Type::kDuration, 5'000'000, 1'000, 3'600'000'000,
     "From here on the finding is critical."},
};

class StaleStatistics final : public Detector {
 public:
  explicit StaleStatistics(const Options& options)
      : min_ratio_(static_cast<double>(options.integer("min_ratio"))),
        min_rows_(static_cast<double>(options.integer("min_rows"))),
        min_duration_(options.duration("min_duration")),
        critical_duration_(options.duration("critical_duration")) {}

  void on_plan(const std::shared_ptr<const Plan>& plan, const Execution& execution,
               const Query& query, Report& report) override {
    if (execution.duration < min_duration_) return;
    const std::optional<Misestimate> worst = worst_estimate(*plan, query, min_rows_);
    if (!worst) return;
    if (worst->ratio < min_ratio_) {
      if (worst->ratio * 2 >= min_ratio_) {
        report.near_miss({query.id, kNoQuery, "min_ratio", worst->ratio, min_ratio_,
                          "times that a scan's rows differ from their estimate"});
      }
      return;
    }
    const PlanNode& node = plan->nodes[worst->node];
    Observation observation = observe(plan, execution, query, critical_duration_);
    observation.confidence = worst->under ? 0.9 : 0.8;
    observation.remedy = Remedy::kAnalyze;
    observation.table = node.relation;
    for (const PlanCondition* condition : conditions_of(*plan, worst->node)) {
      if (use_of(*condition, node, query) != ConditionUse::kNone) {
        add_column(observation, node.relation, condition->column);
      }
    }
    observation.evidence["rows_expected"] = node.plan_rows;
    observation.evidence["rows_found"] = node.rows / node.loops;
    observation.evidence["max_ratio"] = worst->ratio;
    report.add(std::move(observation));
  }

 private:
  const double min_ratio_;
  const double min_rows_;
  const Micros min_duration_;
  const Micros critical_duration_;
};

std::string summarize(const Finding& finding) {
  const auto rows = [&](const char* name) {
    const auto found = finding.evidence.find(name);
    return grouped(found == finding.evidence.end() ? 0 : static_cast<uint64_t>(found->second));
  };
  return "The planner expected " + rows("rows_expected") + " rows of " +
         (finding.tables.empty() ? "a table" : finding.tables[0]) + " for " +
         finding.query.summary + " and " + rows("rows_found") + " came, " +
         counted(finding.occurrences, "time", "times") + ".";
}

}  // namespace

DetectorEntry describe_stale_statistics() {
  return {"stale_statistics",
          "Stale statistics",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<StaleStatistics>(options);
          },
          &summarize,
          kHearsPlans};
}

}  // namespace ectoscope
