#include "detectors/support/estimates.h"

#include <algorithm>

#include "detectors/support/plan_waste.h"

namespace ectoscope {
namespace {

bool has_statistics(const Plan& plan, size_t index, const Query& query) {
  const PlanNode& node = plan.nodes[index];
  if (node.filter.disjunction || node.index_cond.disjunction) return false;
  const std::vector<const PlanCondition*> conditions = conditions_of(plan, index);
  return std::all_of(conditions.begin(), conditions.end(), [&](const PlanCondition* it) {
    if (it->operand == PlanOperand::kExpression) return false;
    const ConditionUse use = use_of(*it, node, query);
    return use != ConditionUse::kWrapped && use != ConditionUse::kFreePattern &&
           use != ConditionUse::kPattern;
  });
}

}  // namespace

std::optional<Misestimate> worst_estimate(const Plan& plan, const Query& query, double min_rows) {
  std::optional<Misestimate> worst;
  if (!plan.analyzed || plan.values == PlanValues::kGeneric) return worst;
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    const PlanNode& node = plan.nodes[i];
    if (!reads_table(node.type) || node.never_run || node.loops <= 0) continue;
    const double rows = std::max(node.rows / node.loops, 1.0);
    const double expected = std::max(node.plan_rows, 1.0);
    const bool under = rows > expected;
    if (std::max(rows, expected) < min_rows || (!under && node.stops_early)) continue;
    if (!has_statistics(plan, i, query)) continue;
    const double ratio = under ? rows / expected : expected / rows;
    if (!worst || ratio > worst->ratio) worst = Misestimate{i, ratio, under};
  }
  return worst;
}

}  // namespace ectoscope
