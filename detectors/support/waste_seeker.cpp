#include "detectors/support/waste_seeker.h"

#include <algorithm>

#include "core/near_miss.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

bool among(std::initializer_list<WasteKind> kinds, WasteKind kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

}  // namespace

WasteSeeker::WasteSeeker(const Options& options)
    : limits_{static_cast<double>(options.integer("min_removed_rows")),
              options.ratio("min_removed_ratio")},
      min_duration_(options.duration("min_duration")),
      critical_duration_(options.duration("critical_duration")) {}

std::optional<Waste> WasteSeeker::seek(const Plan& plan, const Execution& execution,
                                       const Query& query, std::initializer_list<WasteKind> kinds,
                                       Report& report) const {
  if (execution.duration * 2 < min_duration_) return std::nullopt;
  const std::optional<Waste> waste = worst_waste(plan, query, limits_);
  if (!waste || execution.duration < min_duration_) {
    tell_near_miss(plan, execution, query, kinds, report);
    return std::nullopt;
  }
  return among(kinds, waste->kind) ? waste : std::nullopt;
}

/// Half of the rows, of the time, or twice the part that is kept.
void WasteSeeker::tell_near_miss(const Plan& plan, const Execution& execution, const Query& query,
                                 std::initializer_list<WasteKind> kinds, Report& report) const {
  const WasteLimits wider{limits_.min_removed / 2, 1 - 2 * (1 - limits_.min_ratio)};
  const std::optional<Waste> waste = worst_waste(plan, query, wider);
  if (!waste || !among(kinds, waste->kind)) return;
  const double share = waste->removed / (waste->removed + waste->kept);
  const bool sorted = waste->kind == WasteKind::kSorted;
  const bool by_rows = waste->kind != WasteKind::kIndexColumn;  // which has blocks or costs
  if (by_rows && waste->removed < limits_.min_removed) {
    report.near_miss({query.id, kNoQuery, "min_removed_rows", waste->removed, limits_.min_removed,
                      sorted ? "rows that were sorted in vain" : "rows that one scan threw away"});
  } else if (by_rows && share < limits_.min_ratio) {
    report.near_miss({query.id, kNoQuery, "min_removed_ratio", share, limits_.min_ratio,
                      sorted ? "the share of the sorted rows that a LIMIT threw away"
                             : "the share of a scan's rows that it threw away"});
  } else {
    report.near_miss({query.id, kNoQuery, "min_duration",
                      static_cast<double>(execution.duration.count()),
                      static_cast<double>(min_duration_.count()),
                      "the time of an execution whose scan threw nearly all rows away"});
  }
}

std::string removed_rows(const Finding& finding) {
  const auto removed = finding.evidence.find("rows_removed");
  if (removed == finding.evidence.end()) return "";
  return " and throws " + grouped(static_cast<uint64_t>(removed->second)) + " rows away";
}

}  // namespace ectoscope
