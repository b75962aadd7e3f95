// What wrong_index, missing_index and unindexable_predicate have in common: they look for the scan
// that throws the most away, each for another kind of it.
#pragma once

#include <initializer_list>
#include <optional>

#include "core/options.h"
#include "detectors/support/plan_waste.h"

namespace ectoscope {

class WasteSeeker {
 public:
  /// By the options min_removed_rows, min_removed_ratio, min_duration and critical_duration.
  explicit WasteSeeker(const Options& options);

  /// The worst scan of the plan, if it is of one of `kinds` and reaches the limits; of what misses
  /// one of them by little, `report` is told.
  std::optional<Waste> seek(const Plan& plan, const Execution& execution, const Query& query,
                            std::initializer_list<WasteKind> kinds, Report& report) const;

  [[nodiscard]] Micros min_duration() const { return min_duration_; }
  [[nodiscard]] Micros critical_duration() const { return critical_duration_; }

 private:
  void tell_near_miss(const Plan& plan, const Execution& execution, const Query& query,
                      std::initializer_list<WasteKind> kinds, Report& report) const;

  const WasteLimits limits_;
  const Micros min_duration_;
  const Micros critical_duration_;
};

/// " and throws 1,234 rows away"; empty where the plans did not tell.
std::string removed_rows(const Finding& finding);

}  // namespace ectoscope
