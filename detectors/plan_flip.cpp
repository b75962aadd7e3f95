// Plan flip: a shape's plan changed, and its executions take longer than before.  Either it turned
// generic (planned once for all values) and does far more work than the shape did, or it was
// planned on estimates that were far off, and another plan of the shape is quicker.
//
// The quick plan is often not in the log, since quick executions are not explained: so durations of
// all executions are compared.  Not reported: look-ups that waited for the disk or for a lock, and
// custom plans that differ because the values do.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "core/near_miss.h"
#include "detectors/registry.h"
#include "detectors/support/durations.h"
#include "detectors/support/estimates.h"
#include "detectors/support/plan_waste.h"
#include "detectors/support/shape_table.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr size_t kShapes = 2000;          // with plans
constexpr size_t kTimedShapes = 100'000;  // with durations: 4 MB at most
constexpr size_t kStructures = 4;         // plans of a shape that are remembered
constexpr double kBadEstimate = 100;
constexpr double kMinRows = 1000;

constexpr OptionSpec kOptions[] = {
    {"min_slowdown", Type::kInteger, 4, 2, 1000,
     "How many times the usual duration one under the generic plan takes; less is chance."},
    {"min_gain", Type::kRatio, 0.33, 0.05, 1,
     "The part of a badly estimated plan's time that another plan of the shape does without."},
    {"min_duration", Type::kDuration, 10'000, 0, 3'600'000'000,
     "Executions that are faster are not worth a change."},
    {"min_work", Type::kInteger, 10'000, 100, 1e12,
     "Rows that the generic plan reads, or a tenth as many blocks; a look-up that reads a few rows "
     "and was slow has waited for something else."},
    {"critical_duration", Type::kDuration, 1'000'000, 1'000, 3'600'000'000,
     "From here on the finding is critical."},
};

struct Structure {
  uint64_t hash = 0;
  bool misled = false;  // some scan's estimate was far off
  std::string table;    // the one that it was off about
  Durations durations;
};

struct History {
  std::array<Structure, kStructures> structures{};
  size_t structure_count = 0;
  uint64_t current = 0;  // the structure seen last
};

/// Rows read by all scans and blocks touched: what a plan does, whatever it waits for.
bool works_hard(const Plan& plan, double min_rows) {
  double rows = 0;
  for (const PlanNode& node : plan.nodes) {
    if (reads_table(node.type)) rows += node.rows + node.removed_by_filter;
  }
  const double blocks = plan.root().blocks_hit + plan.root().blocks_read;
  return rows >= min_rows || blocks >= min_rows / 10;
}

double ratio(Micros longer, Micros shorter) {
  return static_cast<double>(longer.count()) /
         static_cast<double>(std::max<int64_t>(shorter.count(), 1));
}

/// What the shorter one saves, as a part of the longer.
double gain(Micros longer, Micros shorter) {
  return 1 - 1 / ratio(longer, shorter);
}

class PlanFlip final : public Detector {
 public:
  explicit PlanFlip(const Options& options)
      : min_slowdown_(static_cast<double>(options.integer("min_slowdown"))),
        min_gain_(options.ratio("min_gain")),
        min_duration_(options.duration("min_duration")),
        min_work_(static_cast<double>(options.integer("min_work"))),
        critical_duration_(options.duration("critical_duration")) {}

  void on_plan(const std::shared_ptr<const Plan>& plan, const Execution& execution,
               const Query& query, Report& report) override {
    if (query.operation == Operation::kOther || query.operation == Operation::kDdl) return;
    if (execution.has(Execution::kPlanOnly) && plan->values == PlanValues::kNone) return;
    if (plan->values == PlanValues::kGeneric) {
      generic(plan, execution, query, report);
    } else if (plan->analyzed) {
      custom(plan, execution, query, histories_[query.id], report);
    }
    generic_ = plan->values == PlanValues::kGeneric;
    position_ = execution.position;
  }

  void on_execution(const Execution& execution, const Query& query, Report& /*report*/) override {
    if (query.parameters == 0 || execution.has(Execution::kNoDuration)) return;
    if (query.operation == Operation::kTransaction || query.system) return;
    // Its plan came just before; once a plan is generic, the quick ones may be, too, and say
    // little.
    if (generic_ && position_ == execution.position) return;
    if (query.id >= kTimedShapes) return;
    if (query.id >= usual_.size()) usual_.resize(std::min<size_t>(kTimedShapes, query.id * 2 + 64));
    usual_[query.id].add(execution.duration);
  }

 private:
  void generic(const std::shared_ptr<const Plan>& plan, const Execution& execution,
               const Query& query, Report& report) const {
    if (execution.duration < min_duration_ || query.id >= usual_.size()) return;
    if (usual_[query.id].size() < Durations::kLeast) return;
    const Micros usual = usual_[query.id].median();
    const double slowdown = ratio(execution.duration, usual);
    if (!works_hard(*plan, min_work_)) return;
    if (slowdown < min_slowdown_) {
      if (slowdown * 2 >= min_slowdown_) {
        report.near_miss({query.id, kNoQuery, "min_slowdown", slowdown, min_slowdown_,
                          "times its usual duration, under the generic plan"});
      }
      return;
    }
    Observation observation = observe(plan, execution, query, critical_duration_);
    observation.confidence = 0.9;
    observation.remedy = Remedy::kPlanPerValue;
    observation.evidence["usual_ms"] = to_ms(usual);
    observation.evidence["slowdown"] = slowdown;
    observation.saved = execution.duration - usual;
    report.add(std::move(observation));
  }

  void custom(const std::shared_ptr<const Plan>& plan, const Execution& execution,
              const Query& query, History& history, Report& report) const {
    Structure& own = structure_of(history, plan->structure);
    const bool changed = history.current != 0 && history.current != plan->structure;
    history.current = plan->structure;
    own.durations.add(execution.duration);
    const std::optional<Misestimate> worst = worst_estimate(*plan, query, kMinRows);
    own.misled = worst && worst->ratio >= kBadEstimate;
    if (own.misled) own.table = plan->nodes[worst->node].relation;
    for (size_t i = 0; i < history.structure_count; ++i) {
      const Structure& other = history.structures[i];
      if (other.hash == own.hash || other.durations.size() < Durations::kLeast) continue;
      // Slower than another plan that guessed right: this execution.  Quicker than one that guessed
      // wrong: the change itself, which ANALYZE keeps from being undone.
      const bool slower = own.misled && !other.misled && execution.duration >= min_duration_ &&
                          gain(execution.duration, other.durations.median()) >= min_gain_;
      const bool mended = changed && other.misled && !own.misled &&
                          other.durations.median() >= min_duration_ &&
                          gain(other.durations.median(), execution.duration) >= min_gain_;
      if (!slower && !mended) continue;
      Observation observation = observe(plan, execution, query, critical_duration_);
      observation.confidence = 0.8;
      observation.remedy = Remedy::kAnalyze;
      if (mended) observation.severity = Severity::kInfo;
      observation.table = slower ? own.table : other.table;
      observation.evidence[slower ? "usual_ms" : "before_ms"] = to_ms(other.durations.median());
      if (slower) observation.saved = execution.duration - other.durations.median();
      report.add(std::move(observation));
      return;
    }
  }

  static Structure& structure_of(History& history, uint64_t hash) {
    for (size_t i = 0; i < history.structure_count; ++i) {
      if (history.structures[i].hash == hash) return history.structures[i];
    }
    if (history.structure_count == kStructures) {  // the oldest makes room
      std::rotate(history.structures.begin(), history.structures.begin() + 1,
                  history.structures.end());
      --history.structure_count;
    }
    Structure& fresh = history.structures[history.structure_count++];
    fresh = {};
    fresh.hash = hash;
    return fresh;
  }

  const double min_slowdown_;
  const double min_gain_;
  const Micros min_duration_;
  const double min_work_;
  const Micros critical_duration_;
  std::vector<Durations> usual_;  // by shape
  ShapeTable<History> histories_{kShapes};
  bool generic_ = false;   // of the latest plan
  uint64_t position_ = 0;  // of its execution
};

std::string summarize(const Finding& finding) {
  const auto usual = finding.evidence.find("usual_ms");
  if (usual == finding.evidence.end()) {
    return "The plan of " + finding.query.summary + " changed to a quicker one, " +
           counted(finding.occurrences, "time", "times") + ".";
  }
  const auto mean = finding.occurrences == 0
                        ? Micros(0)
                        : finding.database_time / static_cast<int64_t>(finding.occurrences);
  const bool generic = finding.plan != nullptr && finding.plan->values == PlanValues::kGeneric;
  return finding.query.summary + " took " + spoken(mean) + " in the mean, " +
         counted(finding.occurrences, "time", "times") +
         (generic ? ", under its generic plan; " : ", under another plan than ") +
         (generic ? "before that " : "usual, which took ") +
         spoken(Micros(static_cast<int64_t>(usual->second * 1000))) + ".";
}

}  // namespace

DetectorEntry describe_plan_flip() {
  return {"plan_flip",
          "Plan flips",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<PlanFlip>(options);
          },
          &summarize,
          kHearsPlans | kHearsExecutions};
}

}  // namespace ectoscope
