// An execution plan as a tree that shows where the time went and what was read for nothing.
#pragma once

#include <string_view>

#include "core/plan.h"
#include "outputs/html.h"

namespace ectoscope {

/// `table`: of the index that is the fix, empty where it is none.
void write_plan_tree(HtmlWriter& html, const Plan& plan, std::string_view table);

}  // namespace ectoscope
