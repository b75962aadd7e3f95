#include "core/plan_use.h"

#include <algorithm>
#include <initializer_list>

namespace ectoscope {
namespace {

bool any_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_text(std::string_view type) {
  return any_of(type, {"", "text", "character varying", "bpchar", "character", "name", "citext"});
}

/// The statement itself wraps the column.
bool wrapped_in_text(const PlanCondition& condition, const Query& query) {
  return std::any_of(query.predicates.begin(), query.predicates.end(), [&](const Predicate& it) {
    return it.column == condition.column && it.wrapped;
  });
}

bool is_range(std::string_view op) {
  return any_of(op, {"<", ">", "<=", ">="});
}

}  // namespace

ConditionUse use_of(const PlanCondition& condition, const PlanNode& scan, const Query& query) {
  const std::string& qualifier = condition.qualifier;
  const bool own = qualifier.empty() || qualifier == scan.alias || qualifier == scan.relation;
  if (!own || condition.column.empty()) return ConditionUse::kNone;
  const bool negative = condition.op.starts_with("!") || condition.op == "<>";
  if (negative || condition.op == "IS DISTINCT FROM") return ConditionUse::kNone;
  const bool pattern = condition.pattern != PlanPattern::kNone;
  const bool cast = !is_text(condition.cast_to) ||
                    (!condition.cast_to.empty() && !pattern && wrapped_in_text(condition, query));
  if (condition.function || cast) return ConditionUse::kWrapped;
  if (pattern) {
    const bool folded = condition.op.ends_with('*');
    const bool anchored =
        condition.pattern == PlanPattern::kPrefix || condition.pattern == PlanPattern::kExact;
    return anchored && !folded ? ConditionUse::kPattern : ConditionUse::kFreePattern;
  }
  if (condition.operand == PlanOperand::kNone) return ConditionUse::kFlag;
  if (condition.op == "=") return condition.list ? ConditionUse::kList : ConditionUse::kEquality;
  if (condition.op == "IS NOT DISTINCT FROM") return ConditionUse::kEquality;
  return is_range(condition.op) ? ConditionUse::kRange : ConditionUse::kNone;
}

std::vector<const PlanCondition*> conditions_of(const Plan& plan, size_t scan) {
  std::vector<const PlanCondition*> all;
  const auto add = [&](const PlanClause& clause) {
    for (const PlanCondition& condition : clause.conditions)
      all.push_back(&condition);
  };
  add(plan.nodes[scan].index_cond);
  add(plan.nodes[scan].recheck_cond);
  add(plan.nodes[scan].filter);
  return all;
}

bool id_like(std::string_view column) {
  return column == "id" || column.ends_with("_id") || column.ends_with("_uuid") || column == "uuid";
}

}  // namespace ectoscope
