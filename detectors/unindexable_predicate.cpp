// Unindexable predicate: the column stands inside a function or a cast, or behind a leading
// wildcard, so that its index can't be used and nearly all rows are read in vain.
#include "detectors/registry.h"
#include "detectors/support/plan_waste.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_removed_rows", Type::kInteger, 10'000, 100, 1e12,
     "Rows that the scan reads in vain; a smaller table needs no index."},
    {"min_removed_ratio", Type::kRatio, 0.99, 0.5, 1, "Their share of all rows read."},
    {"min_duration", Type::kDuration, 10'000, 0, 3'600'000'000,
     "Executions that are faster are not worth a change."},
    {"critical_duration", Type::kDuration, 1'000'000, 1'000, 3'600'000'000,
     "From here on the finding is critical."},
};

/// A function of the column alone can be indexed as it is; a span of time is better written as one.
Remedy remedy_for(const PlanCondition& condition) {
  if (condition.pattern != PlanPattern::kNone && !condition.function) return Remedy::kTrigramIndex;
  if (!condition.function) return Remedy::kRewritePredicate;
  for (const std::string_view start : {"date(", "date_trunc("}) {
    if (condition.expression.starts_with(start)) return Remedy::kRewritePredicate;
  }
  const bool call = condition.expression.find('(') != 0;  // "(a + ?)" is none
  return call ? Remedy::kExpressionIndex : Remedy::kRewritePredicate;
}

class UnindexablePredicate final : public Detector {
 public:
  explicit UnindexablePredicate(const Options& options)
      : limits_{static_cast<double>(options.integer("min_removed_rows")),
                options.ratio("min_removed_ratio")},
        min_duration_(options.duration("min_duration")),
        critical_duration_(options.duration("critical_duration")) {}

  void on_plan(const std::shared_ptr<const Plan>& plan, const Execution& execution,
               const Query& query, Report& report) override {
    if (execution.duration < min_duration_) return;
    const std::optional<Waste> waste = worst_waste(*plan, query, limits_);
    if (!waste || waste->kind != WasteKind::kUnindexable) return;
    Observation observation = observe(plan, execution, query, *waste, critical_duration_);
    observation.columns.clear();
    add_column(observation, observation.table, waste->condition->column);
    observation.remedy = remedy_for(*waste->condition);
    report.add(std::move(observation));
  }

 private:
  const WasteLimits limits_;
  const Micros min_duration_;
  const Micros critical_duration_;
};

std::string summarize(const Finding& finding) {
  const std::string column = finding.columns.empty() ? "its column" : finding.columns[0];
  std::string text = finding.query.summary + " can't use an index on " + column;
  if (const auto removed = finding.evidence.find("rows_removed");
      removed != finding.evidence.end()) {
    text += " and throws " + grouped(static_cast<uint64_t>(removed->second)) + " rows away";
  }
  return text + ", " + counted(finding.occurrences, "time", "times") + ".";
}

}  // namespace

DetectorEntry describe_unindexable_predicate() {
  return {"unindexable_predicate",
          "Predicates no index serves",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<UnindexablePredicate>(options);
          },
          &summarize};
}

}  // namespace ectoscope
