// Unindexable predicate: the column stands inside a function or a cast, or behind a leading
// wildcard, so that its index can't be used and nearly all rows are read in vain.
#include <cctype>

#include "core/plan_use.h"
#include "detectors/registry.h"
#include "detectors/support/waste_seeker.h"
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

/// "(meta ->> ?)", not "lower((meta ->> ?))".
bool takes_apart(const PlanCondition& condition) {
  const std::string& text = condition.expression;
  if (!condition.function ||
      (text.find("->") == std::string::npos && text.find("#>") == std::string::npos)) {
    return false;
  }
  for (size_t at = text.find('('); at != std::string::npos; at = text.find('(', at + 1)) {
    if (at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1])) != 0) return false;
  }
  return true;
}

/// A function of the column alone can be indexed as it is; a span of time is better written as one.
Remedy remedy_for(const PlanCondition& condition) {
  if (condition.pattern != PlanPattern::kNone && !condition.function) return Remedy::kTrigramIndex;
  if (condition.op == "= ANY" || looks_inside(condition.op)) return Remedy::kInsideIndex;
  if (takes_apart(condition)) {
    return condition.op == "=" ? Remedy::kInsideIndex : Remedy::kExpressionIndex;
  }
  if (!condition.function) return Remedy::kRewritePredicate;
  for (const std::string_view start : {"date(", "date_trunc("}) {
    if (condition.expression.starts_with(start)) return Remedy::kRewritePredicate;
  }
  const bool call = condition.expression.find('(') != 0;  // "(a + ?)" is none
  return call ? Remedy::kExpressionIndex : Remedy::kRewritePredicate;
}

class UnindexablePredicate final : public Detector {
 public:
  explicit UnindexablePredicate(const Options& options) : seeker_(options) {}

  void on_plan(const std::shared_ptr<const Plan>& plan, const Execution& execution,
               const Query& query, Report& report) override {
    const std::optional<Waste> waste =
        seeker_.seek(*plan, execution, query, {WasteKind::kUnindexable}, report);
    if (!waste) return;
    Observation observation = observe(plan, execution, query, *waste, seeker_.critical_duration());
    observation.columns.clear();
    add_column(observation, observation.table, waste->condition->column);
    const auto& alternatives = plan->nodes[waste->node].filter.alternatives;
    if (!alternatives.empty() && waste->condition == alternatives.data()) {
      for (const PlanCondition& other : alternatives)
        add_column(observation, observation.table, other.column);
    }
    observation.remedy = remedy_for(*waste->condition);
    report.add(std::move(observation));
  }

 private:
  const WasteSeeker seeker_;
};

std::string summarize(const Finding& finding) {
  const std::string column = finding.columns.empty() ? "its column" : finding.columns[0];
  std::string text = finding.query.summary + " can't use an index on " + column;
  return text + removed_rows(finding) + ", " + counted(finding.occurrences, "time", "times") + ".";
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
          &summarize,
          kHearsPlans};
}

}  // namespace ectoscope
