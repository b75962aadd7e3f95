// How far the planner's row counts were off.
#pragma once

#include <optional>

#include "core/plan.h"
#include "core/query.h"

namespace ectoscope {

struct Misestimate {
  size_t node = 0;     // a scan
  double ratio = 0;    // 1 and more
  bool under = false;  // more rows came than expected
};

/// The scan whose rows are the furthest from their estimate, of those that fresh statistics would
/// mend: not what stopped early, no expression or pattern (they have no statistics), no generic
/// plan (it does not know the value).  Scans of fewer than `min_rows` on both sides don't count.
std::optional<Misestimate> worst_estimate(const Plan& plan, const Query& query, double min_rows);

}  // namespace ectoscope
