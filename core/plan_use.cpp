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

bool word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// `"pings" AS p0`: whether the statement calls the table so.
bool calls(std::string_view text, std::string_view table, std::string_view alias) {
  if (alias.empty()) return false;
  if (alias == table) return true;
  for (size_t at = text.find(table); at != std::string_view::npos; at = text.find(table, at + 1)) {
    std::string_view behind = text.substr(at + table.size());
    if (behind.starts_with('"')) behind.remove_prefix(1);
    constexpr std::string_view kAs = " AS ";
    if (!behind.starts_with(kAs) || !behind.substr(kAs.size()).starts_with(alias)) continue;
    const size_t end = kAs.size() + alias.size();
    if (end == behind.size() || !word_char(behind[end])) return true;
  }
  return false;
}

/// PostgreSQL numbers a partition's alias: p0_1 of p0.
std::string_view without_number(std::string_view alias) {
  const size_t digits = alias.find_last_not_of("0123456789");
  const bool numbered =
      digits != std::string_view::npos && digits + 1 < alias.size() && alias[digits] == '_';
  return numbered ? alias.substr(0, digits) : alias;
}

}  // namespace

ConditionUse use_of(const PlanCondition& condition, const PlanNode& scan, const Query& query) {
  const std::string& qualifier = condition.qualifier;
  const bool own = qualifier.empty() || qualifier == scan.alias || qualifier == scan.relation;
  if (!own || condition.column.empty()) return ConditionUse::kNone;
  const bool negative = condition.op.starts_with("!") || condition.op == "<>";
  if (negative || condition.op == "IS DISTINCT FROM") return ConditionUse::kNone;
  if (condition.op == "= ANY") return ConditionUse::kWrapped;  // no index serves it so
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
  if (looks_inside(condition.op) && !condition.list) {
    // `at <@ range` asks where the column stands, not what stands in it.
    const bool inside = condition.op != "<@" || condition.operand_type.ends_with("[]");
    return inside ? ConditionUse::kContained : ConditionUse::kNone;
  }
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

bool looks_inside(std::string_view op) {
  return any_of(op, {"@>", "<@", "&&", "@@", "?", "?|", "?&"});
}

const std::string& table_read(const PlanNode& scan, const Query& query) {
  const auto& tables = query.tables;
  const auto named = [&](const std::string& table) { return bare_name(table) == scan.relation; };
  if (std::any_of(tables.begin(), tables.end(), named)) return scan.relation;
  for (const std::string_view alias : {std::string_view(scan.alias), without_number(scan.alias)}) {
    const auto parent = std::find_if(tables.begin(), tables.end(), [&](const std::string& table) {
      return calls(query.text, bare_name(table), alias);
    });
    if (parent != tables.end()) return *parent;
  }
  return scan.relation;
}

bool id_like(std::string_view column) {
  return column == "id" || column.ends_with("_id") || column.ends_with("_uuid") || column == "uuid";
}

}  // namespace ectoscope
