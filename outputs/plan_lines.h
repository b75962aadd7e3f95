// A plan in a few lines: its worst node.
#pragma once

#include <string>
#include <vector>

#include "core/plan.h"

namespace ectoscope {

/// What the node that cost the most is, its time, its conditions, its rows.  Lines may be long and
/// hold whatever names the database has.
std::vector<std::string> plan_lines(const Plan& plan);

}  // namespace ectoscope
