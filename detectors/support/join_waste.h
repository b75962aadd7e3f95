// What a join throws away of a scan that it could have asked by an index.
#pragma once

#include <optional>
#include <string>

#include "core/plan.h"
#include "core/query.h"

namespace ectoscope {

struct JoinWaste {
  std::string column;  // of the scan's table, that the join compares
  double removed = 0;  // rows of the scan, all loops
  double kept = 0;     // of the join
};

/// A scan that nothing bounds - sequential, or of an index for its order - below a join by equality
/// that keeps few of its rows, and whose other side has few, so that looking each of them up in an
/// index on `column` would do.  How few, is for the caller to say; only of plans that were run.
std::optional<JoinWaste> waste_in_join(const Plan& plan, size_t scan, const Query& query,
                                       double min_ratio);

}  // namespace ectoscope
