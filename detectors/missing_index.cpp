// Missing index: a sequential scan throws nearly all rows of a big table away, a foreign key's
// trigger does, or a sort does with all but the first rows.
//
// Not reported: small tables, scans that keep more than a few rows in a hundred, conditions that no
// plain index could do (unindexable_predicate has those).
#include "core/near_miss.h"
#include "detectors/registry.h"
#include "detectors/support/durations.h"
#include "detectors/support/shape_table.h"
#include "detectors/support/waste_seeker.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr size_t kShapes = 2000;

constexpr OptionSpec kOptions[] = {
    {"min_removed_rows", Type::kInteger, 10'000, 100, 1e12,
     "Rows that the scan reads in vain; a smaller table is read through as fast as by an index."},
    {"min_removed_ratio", Type::kRatio, 0.99, 0.5, 1,
     "Their share of all rows read; PostgreSQL is right to scan where a condition keeps more."},
    {"min_duration", Type::kDuration, 10'000, 0, 3'600'000'000,
     "Executions that are faster are not worth another index."},
    {"critical_duration", Type::kDuration, 1'000'000, 1'000, 3'600'000'000,
     "From here on the finding is critical."},
    {"min_trigger_time", Type::kDuration, 5'000, 100, 60'000'000,
     "Time a call of a foreign key's trigger on delete; with an index it takes well below 1 ms."},
};

class MissingIndex final : public Detector {
 public:
  explicit MissingIndex(const Options& options)
      : seeker_(options), min_trigger_time_(options.duration("min_trigger_time")) {}

  void on_plan(const std::shared_ptr<const Plan>& plan, const Execution& execution,
               const Query& query, Report& report) override {
    const std::optional<Waste> waste =
        seeker_.seek(*plan, execution, query, {WasteKind::kSequential, WasteKind::kSorted}, report);
    if (waste) {
      Observation observation =
          observe(plan, execution, query, *waste, seeker_.critical_duration());
      observation.remedy = remedy_of(*waste);
      report.add(std::move(observation));
      return;
    }
    if (execution.duration < seeker_.min_duration()) return;
    const PlanTrigger* trigger = slow_trigger(*plan, query, report);
    if (trigger == nullptr) return;
    if (depends_on_the_row(*trigger, query)) {
      report.near_miss({query.id,
                        kNoQuery,
                        {},
                        trigger->time_ms,
                        0,
                        "a foreign key's trigger was slow, but most executions are quick: this row "
                        "has many that refer to it, and an index finds them"});
      return;
    }
    report.add(of_trigger(plan, execution, query, *trigger));
  }

  void on_execution(const Execution& execution, const Query& query, Report& /*report*/) override {
    if (query.operation != Operation::kDelete && query.operation != Operation::kUpdate) return;
    if (query.key_form != KeyForm::kSingle || execution.has(Execution::kNoDuration)) return;
    usual_[query.id].add(execution.duration);
  }

 private:
  /// The costliest one that a foreign key has on the table that it refers to.
  [[nodiscard]] const PlanTrigger* slow_trigger(const Plan& plan, const Query& query,
                                                Report& report) const {
    const PlanTrigger* worst = nullptr;
    if (plan.root().operation != "Delete" && plan.root().operation != "Update") return nullptr;
    for (const PlanTrigger& trigger : plan.triggers) {
      if (trigger.constraint.empty() || trigger.calls <= 0) continue;
      if (trigger.time_ms < to_ms(seeker_.min_duration())) continue;
      const double a_call = trigger.time_ms / trigger.calls;
      if (a_call < to_ms(min_trigger_time_)) {
        if (a_call * 2 >= to_ms(min_trigger_time_)) {
          report.near_miss({query.id, kNoQuery, "min_trigger_time", a_call * 1000,
                            static_cast<double>(min_trigger_time_.count()),
                            "the time of a call of a foreign key's trigger"});
        }
        continue;
      }
      if (worst == nullptr || trigger.time_ms > worst->time_ms) worst = &trigger;
    }
    return worst;
  }

  /// A scan of the whole table takes every call about as long.  Where most executions took far less
  /// than this one's trigger, it did not scan: it had many rows to delete, or waited.
  [[nodiscard]] bool depends_on_the_row(const PlanTrigger& trigger, const Query& query) {
    constexpr double kFarLess = 0.25;
    const Durations* usual = usual_.find(query.id);
    return usual != nullptr && usual->size() >= Durations::kLeast &&
           to_ms(usual->median()) < kFarLess * trigger.time_ms / trigger.calls;
  }

  struct Reference {
    std::string table;
    std::string column;
  };

  /// "order_items_order_id_fkey" on "orders": order_items.order_id.  PostgreSQL and Ecto name a
  /// constraint so; empty where the name does not tell.
  static Reference referring(const PlanTrigger& trigger, const std::string& relation) {
    std::string_view name = trigger.constraint;
    constexpr std::string_view kEnd = "_id_fkey";
    if (!name.ends_with(kEnd)) return {};
    const std::string_view stems = name.substr(0, name.size() - kEnd.size());
    // The column is named after the table that it refers to: order_id, orders.
    for (size_t at = stems.find('_'); at != std::string_view::npos; at = stems.find('_', at + 1)) {
      const std::string_view stem = stems.substr(at + 1);
      if (stem.size() < 2) continue;
      const std::string_view root = stem.substr(0, std::max<size_t>(stem.size() - 1, 2));
      if (relation.starts_with(root) && relation.size() <= stem.size() + 3) {
        return {std::string(stems.substr(0, at)), std::string(stem) + "_id"};
      }
    }
    return {};
  }

  [[nodiscard]] Observation of_trigger(const std::shared_ptr<const Plan>& plan,
                                       const Execution& execution, const Query& query,
                                       const PlanTrigger& trigger) const {
    Observation observation = observe(plan, execution, query, seeker_.critical_duration());
    observation.confidence = 0.85;  // the trigger may have waited for a lock instead
    observation.remedy = Remedy::kAddIndex;
    observation.evidence["trigger_ms"] = trigger.time_ms;
    observation.evidence["trigger_calls"] = trigger.calls;
    observation.saved = Micros(static_cast<int64_t>(trigger.time_ms * 1000));
    const std::string& relation =
        trigger.relation.empty() ? plan->root().relation : trigger.relation;
    const Reference reference = referring(trigger, relation);
    if (reference.table.empty()) return observation;
    observation.table = reference.table;
    observation.columns = {reference.table + "." + reference.column};
    observation.index = IndexAdvice{reference.table, {reference.column}, {"asc"}, {}, std::nullopt};
    return observation;
  }

  const WasteSeeker seeker_;
  const Micros min_trigger_time_;
  ShapeTable<Durations> usual_{kShapes};  // of deletes and updates of one row, by its key
};

std::string summarize(const Finding& finding) {
  const auto trigger = finding.evidence.find("trigger_ms");
  const std::string table = finding.tables.empty() ? "a table" : finding.tables[0];
  if (trigger != finding.evidence.end()) {
    return finding.query.summary + " waits " +
           spoken(Micros(static_cast<int64_t>(trigger->second * 1000))) +
           " for a foreign key's trigger to search " +
           (finding.columns.empty() ? "the referring table" : table) + ", " +
           counted(finding.occurrences, "time", "times") + ".";
  }
  const auto sorted = finding.evidence.find("rows_sorted");
  if (sorted != finding.evidence.end()) {
    return finding.query.summary + " sorts " + grouped(static_cast<uint64_t>(sorted->second)) +
           " rows of " + table + " for the first " +
           grouped(static_cast<uint64_t>(finding.evidence.at("rows_kept"))) + ", " +
           counted(finding.occurrences, "time", "times") + ".";
  }
  std::string text = finding.query.summary + " reads all of " + table;
  return text + removed_rows(finding) + ", " + counted(finding.occurrences, "time", "times") + ".";
}

}  // namespace

DetectorEntry describe_missing_index() {
  return {"missing_index",
          "Missing indexes",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<MissingIndex>(options);
          },
          &summarize,
          kHearsPlans | kHearsExecutions};
}

}  // namespace ectoscope
