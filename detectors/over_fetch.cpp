// Over-fetch: a read without a limit brought more rows than a request can use.
//
// Not reported: streams, figures, preloads by a list of keys, and reads with a LIMIT of any size.
#include "core/near_miss.h"
#include "detectors/registry.h"
#include "detectors/support/plan_waste.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

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
    if (!plan->analyzed || execution.duration < min_duration_ || bounded(query)) return;
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
  }

 private:
  static bool bounded(const Query& query) {
    return query.operation != Operation::kSelect || query.has_limit || query.aggregate ||
           query.key_form == KeyForm::kList || query.system;
  }

  const double min_rows_;
  const double critical_rows_;
  const Micros min_duration_;
  const Micros critical_duration_;
};

std::string summarize(const Finding& finding) {
  const auto rows = finding.evidence.find("rows_returned");
  std::string text = finding.query.summary + " has no LIMIT and returned ";
  text += rows == finding.evidence.end() ? std::string("many")
                                         : grouped(static_cast<uint64_t>(rows->second));
  return text + " rows in the mean, " + counted(finding.occurrences, "time", "times") + ".";
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
          &summarize};
}

}  // namespace ectoscope
