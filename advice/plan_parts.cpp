#include "advice/plan_parts.h"

#include "advice/ecto_parts.h"
#include "core/plan_use.h"

namespace ectoscope {

/// The table that the finding is about.
std::string_view subject(const AdviceRequest& request) {
  if (request.worst != nullptr && !request.worst->table.empty()) return request.worst->table;
  return table_of(*request.query);
}

const Plan* plan_of(const AdviceRequest& request) {
  return request.worst == nullptr ? nullptr : request.worst->plan.get();
}

Verification shown_by(const Plan* plan) {
  Verification verification;
  if (plan != nullptr && plan->analyzed) verification.by = Verification::By::kPlan;
  return verification;
}

std::string words(const std::vector<std::string>& columns) {
  std::string text;
  for (size_t i = 0; i < columns.size(); ++i)
    text += (i == 0 ? "" : i + 1 == columns.size() ? " and " : ", ") + columns[i];
  return text;
}

std::string column_of(const AdviceRequest& request) {
  const std::vector<std::string> columns = columns_of(request);
  return columns.empty() ? std::string() : columns.front();
}

std::vector<std::string> columns_of(const AdviceRequest& request) {
  std::vector<std::string> columns;
  if (request.worst == nullptr) return columns;
  for (const std::string& name : request.worst->columns)
    columns.push_back(name.substr(name.rfind('.') + 1));
  return columns;
}

const PlanCondition* condition_of(const AdviceRequest& request) {
  const Plan* plan = plan_of(request);
  if (plan == nullptr) return nullptr;
  for (size_t i = 0; i < plan->nodes.size(); ++i) {
    const PlanNode& node = plan->nodes[i];
    if (!reads_table(node.type) || table_read(node, *request.query) != subject(request)) continue;
    for (const PlanCondition* condition : conditions_of(*plan, i)) {
      const ConditionUse use = use_of(*condition, node, *request.query);
      if (use == ConditionUse::kWrapped || use == ConditionUse::kContained) return condition;
    }
  }
  return nullptr;
}

}  // namespace ectoscope
