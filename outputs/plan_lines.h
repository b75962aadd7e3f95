// A plan in a few lines: its worst node.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/plan.h"

namespace ectoscope {

/// What the finding's node is (see node_at_fault), its time, its conditions, its rows.  Lines may
/// be long and hold whatever names the database has.
std::vector<std::string> plan_lines(const Plan& plan, std::string_view table);

}  // namespace ectoscope
