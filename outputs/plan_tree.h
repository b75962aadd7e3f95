// An execution plan as a tree that shows where the time went and what was read for nothing.
#pragma once

#include "core/plan.h"
#include "outputs/html.h"

namespace ectoscope {

void write_plan_tree(HtmlWriter& html, const Plan& plan);

}  // namespace ectoscope
