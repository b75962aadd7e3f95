// Wrong index: an index is read for its order, or by a part of the condition, and nearly every row
// of it is thrown away.  The fewer rows match, the longer it takes.
#include "detectors/registry.h"
#include "detectors/support/waste_seeker.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_removed_rows", Type::kInteger, 10'000, 100, 1e12,
     "Rows that the index scan reads in vain; fewer are read in a few milliseconds."},
    {"min_removed_ratio", Type::kRatio, 0.99, 0.5, 1,
     "Their share of all rows read: a hundred for each that is wanted."},
    {"min_duration", Type::kDuration, 10'000, 0, 3'600'000'000,
     "Executions that are faster are not worth another index."},
    {"critical_duration", Type::kDuration, 1'000'000, 1'000, 3'600'000'000,
     "From here on the finding is critical."},
};

class WrongIndex final : public Detector {
 public:
  explicit WrongIndex(const Options& options) : seeker_(options) {}

  void on_plan(const std::shared_ptr<const Plan>& plan, const Execution& execution,
               const Query& query, Report& report) override {
    const std::optional<Waste> waste = seeker_.seek(
        *plan, execution, query, {WasteKind::kIndexOrder, WasteKind::kIndexColumn}, report);
    if (!waste) return;
    Observation observation = observe(plan, execution, query, *waste, seeker_.critical_duration());
    // Blocks tell less surely than rows: visibility checks read blocks, too.
    if (waste->kind == WasteKind::kIndexColumn) observation.confidence -= 0.1;
    observation.remedy = remedy_of(*waste);
    report.add(std::move(observation));
  }

 private:
  const WasteSeeker seeker_;
};

std::string summarize(const Finding& finding) {
  std::string text = finding.query.summary + " walks an index of " +
                     (finding.tables.empty() ? "its table" : finding.tables[0]);
  const auto number = [&](const char* name) -> double {
    const auto found = finding.evidence.find(name);
    return found == finding.evidence.end() ? 0 : found->second;
  };
  const auto kept = static_cast<uint64_t>(number("rows_kept"));
  if (const double removed = number("rows_removed"); removed > 0) {
    text += " past " + grouped(static_cast<uint64_t>(removed)) + " rows for " +
            counted(kept, "row", "rows");
  } else if (const double blocks = number("blocks_read"); blocks > 0) {
    text += " through " + grouped(static_cast<uint64_t>(blocks)) + " blocks for " +
            counted(kept, "row", "rows");
  }
  return text + ", " + counted(finding.occurrences, "time", "times") +
         ": the fewer rows match, the longer it takes.";
}

}  // namespace

DetectorEntry describe_wrong_index() {
  return {"wrong_index",
          "Wrong indexes",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<WrongIndex>(options);
          },
          &summarize,
          kHearsPlans};
}

}  // namespace ectoscope
