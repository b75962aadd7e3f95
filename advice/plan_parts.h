// What the fixes of plans are made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "core/plan.h"

namespace ectoscope {

/// The table that the finding is about.
std::string_view subject(const AdviceRequest& request);

/// The worst occurrence's plan; null without one.
const Plan* plan_of(const AdviceRequest& request);

/// By the plan, if it tells what was done and not only what was expected.
Verification shown_by(const Plan* plan);

/// "a, b and c".
std::string words(const std::vector<std::string>& columns);

/// The column of the finding's first "posts.title"; empty without one.
std::string column_of(const AdviceRequest& request);

/// All of them.
std::vector<std::string> columns_of(const AdviceRequest& request);

/// The first condition on the finding's table that no b-tree on its column can do; null without
/// one.
const PlanCondition* condition_of(const AdviceRequest& request);

}  // namespace ectoscope
