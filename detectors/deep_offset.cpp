// Deep offset: a page far behind the first, for which all rows of the pages before it are read.
#include <algorithm>

#include "core/near_miss.h"
#include "detectors/registry.h"
#include "detectors/support/plan_waste.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_skipped_rows", Type::kInteger, 5'000, 10, 1e12,
     "Rows read only to be skipped; some milliseconds' work, and further than people page."},
    {"min_duration", Type::kDuration, 10'000, 0, 3'600'000'000,
     "Executions that are faster are not worth a change."},
    {"critical_duration", Type::kDuration, 1'000'000, 1'000, 3'600'000'000,
     "From here on the finding is critical."},
};

class DeepOffset final : public Detector {
 public:
  explicit DeepOffset(const Options& options)
      : min_skipped_(static_cast<double>(options.integer("min_skipped_rows"))),
        min_duration_(options.duration("min_duration")),
        critical_duration_(options.duration("critical_duration")) {}

  void on_plan(const std::shared_ptr<const Plan>& plan, const Execution& execution,
               const Query& query, Report& report) override {
    if (execution.duration < min_duration_ || !query.has_offset) return;
    const double skipped = plan->analyzed ? skipped_rows(*plan) : offset_of(execution, query);
    if (skipped < min_skipped_) {
      if (skipped * 2 >= min_skipped_) {
        report.near_miss({query.id, kNoQuery, "min_skipped_rows", skipped, min_skipped_,
                          "rows skipped by one OFFSET"});
      }
      return;
    }
    report.add(describe(plan, execution, query, skipped));
  }

  void on_execution(const Execution& execution, const Query& query, Report& report) override {
    if (execution.has(Execution::kHasPlan) || !query.has_offset) return;
    if (execution.duration < min_duration_ || execution.has(Execution::kNoDuration)) return;
    const double skipped = offset_of(execution, query);
    if (skipped < min_skipped_) return;
    Observation observation = describe(nullptr, execution, query, skipped);
    observation.confidence = 0.8;  // the table may have had fewer rows
    report.add(std::move(observation));
  }

 private:
  /// A Limit takes from below what it gives on and what its OFFSET skips, no row more.
  static double skipped_rows(const Plan& plan) {
    double most = 0;
    for (size_t i = 1; i < plan.nodes.size(); ++i) {
      const PlanNode& node = plan.nodes[i];
      const PlanNode& parent = plan.nodes[node.parent];
      if (parent.type == PlanNodeType::kLimit) most = std::max(most, node.rows - parent.rows);
    }
    return most;
  }

  /// Of the parameter; 0 where it was not logged.
  static double offset_of(const Execution& execution, const Query& query) {
    const unsigned slot = query.offset_slot;
    if (slot == 0 || slot > execution.integers.size()) return 0;
    if ((execution.integer_slots >> (slot - 1) & 1U) == 0) return 0;
    return static_cast<double>(execution.integers[slot - 1]);
  }

  [[nodiscard]] Observation describe(const std::shared_ptr<const Plan>& plan,
                                     const Execution& execution, const Query& query,
                                     double skipped) const {
    Observation observation = observe(plan, execution, query, critical_duration_);
    observation.remedy = Remedy::kKeyset;
    for (const OrderColumn& column : query.order_by)
      add_column(observation, column.table, column.column);
    observation.evidence["rows_skipped"] = skipped;
    observation.saved = execution.duration * 9 / 10;
    return observation;
  }

  const double min_skipped_;
  const Micros min_duration_;
  const Micros critical_duration_;
};

std::string summarize(const Finding& finding) {
  const auto skipped = finding.evidence.find("rows_skipped");
  std::string text = finding.query.summary + " skips ";
  text += skipped == finding.evidence.end() ? std::string("many")
                                            : grouped(static_cast<uint64_t>(skipped->second));
  return text + " rows by OFFSET to get to its page, " +
         counted(finding.occurrences, "time", "times") + ".";
}

}  // namespace

DetectorEntry describe_deep_offset() {
  return {"deep_offset",
          "Deep offsets",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<DeepOffset>(options);
          },
          &summarize};
}

}  // namespace ectoscope
