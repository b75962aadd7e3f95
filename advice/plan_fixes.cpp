#include "advice/plan_fixes.h"

#include <algorithm>
#include <cmath>

#include "advice/ecto_names.h"
#include "advice/ecto_parts.h"
#include "advice/index_fixes.h"
#include "advice/plan_parts.h"
#include "core/plan.h"
#include "core/plan_use.h"

namespace ectoscope {
namespace {

Fix rewrite(const AdviceRequest& request) {
  const std::string table(subject(request));
  const std::string column = column_of(request);
  const std::string bound = binding(table);
  const std::string field = field_of(bound, column);
  const PlanCondition* condition = condition_of(request);
  const bool of_day = condition != nullptr &&
                      (condition->cast_to == "date" || condition->expression.starts_with("date"));
  const std::string index = " Its index then serves; if it has none: create index(" +
                            atom(without_prefix(table)) + ", [" + atom(column) +
                            "], concurrently: true).";
  Fix fix;
  if (of_day) {
    fix.advice = "Compare " + column +
                 " with the beginning and the end of the span instead of "
                 "rounding each row's." +
                 index;
    fix.ecto = "from(" + bound + " in " + schema_module(table) + ", where: " + field +
               " >= ^from and " + field + " < ^to)";
  } else if (condition != nullptr && !condition->function) {
    fix.advice =
        "Compare " + column + " as the type that it has: cast the value, not the column." + index;
    fix.ecto = "from(" + bound + " in " + schema_module(table) + ", where: " + field + " == ^" +
               value_variable(column) + ")  # " + value_variable(column) +
               " in the column's own type, such as to_string(" + value_variable(column) + ")";
  } else {
    fix.advice = "Keep " + column +
                 " bare on one side of the comparison and do the arithmetic on "
                 "the value." +
                 index;
    fix.ecto = "from(" + bound + " in " + schema_module(table) + ", where: " + field + " " +
               (condition == nullptr || condition->op == "=" ? "==" : condition->op) + " ^" +
               value_variable(column) + ")";
  }
  fix.verified = shown_by(plan_of(request));
  return fix;
}

/// The columns that a keyset is made of: ORDER BY, and the primary key where that may tie.
std::vector<OrderColumn> keyset_of(const Query& query) {
  std::vector<OrderColumn> columns;
  for (const OrderColumn& column : query.order_by) {
    columns.push_back(column);
    if (column.column == "id") return columns;
  }
  const bool descending = !columns.empty() && columns.back().descending;
  columns.push_back({std::string(table_of(query)), "id", descending});
  return columns;
}

std::string keyset_condition(const std::vector<OrderColumn>& keys, const std::string& bound) {
  const auto after = [](const OrderColumn& key) { return key.descending ? " < " : " > "; };
  const auto value = [](const OrderColumn& key) { return "^last." + key.column; };
  if (keys.size() == 1) return field_of(bound, keys[0].column) + after(keys[0]) + value(keys[0]);
  const bool mixed = std::any_of(keys.begin(), keys.end(), [&](const OrderColumn& key) {
    return key.descending != keys[0].descending;
  });
  if (!mixed) {
    std::string marks;
    std::string fields;
    std::string values;
    for (const OrderColumn& key : keys) {
      const std::string field = field_of(bound, key.column);
      marks += marks.empty() ? "?" : ", ?";
      fields += ", " + field;
      values += ", type(" + value(key) + ", " + field + ")";
    }
    return "fragment(\"(" + marks + ")" + after(keys[0]) + "(" + marks + ")\"" + fields + values +
           ")";
  }
  std::string text;
  std::string equal;
  for (const OrderColumn& key : keys) {
    const std::string field = field_of(bound, key.column);
    const std::string one = field + after(key) + value(key);
    if (text.empty()) {
      text = one;
    } else {
      text.append(" or (").append(equal).append(one).append(")");
    }
    equal += field + " == " + value(key) + " and ";
  }
  return "(" + text + ")";
}

Fix keyset(const AdviceRequest& request) {
  const Query& query = *request.query;
  const std::string_view table = table_of(query);
  const std::string bound = binding(table);
  const std::vector<OrderColumn> keys = keyset_of(query);
  std::string order;
  std::vector<std::string> names;
  for (const OrderColumn& key : keys) {
    order += std::string(order.empty() ? "" : ", ") + (key.descending ? "desc: " : "asc: ") +
             field_of(bound, key.column);
    names.push_back(key.column);
  }
  std::string where = other_conditions({query, nullptr, {}}, bound);
  if (!where.empty()) where += " and ";
  Fix fix;
  fix.advice = "Page by the last row's " + words(names) +
               " instead of OFFSET: then each page costs as much as the first.";
  fix.ecto = "from(" + bound + " in " + schema_module(table) + ", where: " + where +
             keyset_condition(keys, bound) + ", order_by: [" + order + "], limit: ^limit)";
  fix.verified = shown_by(plan_of(request));
  return fix;
}

Fix plan_per_value() {
  Fix fix;
  fix.advice =
      "Have PostgreSQL plan this query for its values: its generic plan, which a named prepared "
      "statement gets from the sixth run on, is wrong for the rare ones. An index that serves "
      "every value is better still.";
  fix.ecto =
      "Repo.all(query, prepare: :unnamed)\n"
      "# or for all queries: config :my_app, MyApp.Repo, parameters: [plan_cache_mode: "
      "\"force_custom_plan\"]";
  fix.sql = "SET plan_cache_mode = force_custom_plan;";
  return fix;
}

Fix analyze_table(const AdviceRequest& request) {
  const std::string table(subject(request));
  Fix fix;
  fix.advice = "Run ANALYZE " + table +
               " after loading or changing many of its rows, before the next query: autovacuum "
               "comes a minute later at the earliest. If the estimate stays wrong, raise the "
               "column's STATISTICS or, for columns that go together, CREATE STATISTICS.";
  fix.sql = "ANALYZE " + table + ";";
  fix.ecto = "Repo.query!(\"ANALYZE " + table + "\")";
  return fix;
}

Fix work_mem(const AdviceRequest& request) {
  double bytes = 0;
  if (request.worst != nullptr) {
    const auto spilled = request.worst->evidence.find("spilled_bytes");
    if (spilled != request.worst->evidence.end()) bytes = spilled->second;
  }
  // In memory rows take about twice what they take in a file.
  constexpr double kMiB = 1 << 20;
  const double wanted = std::exp2(std::ceil(std::log2(std::max(bytes * 2 / kMiB, 8.0))));
  Fix fix;
  if (wanted > 1024) {
    fix.advice =
        "It needs more memory than one query should have: do it over fewer rows, in steps, or from "
        "a table that keeps the result.";
    return fix;
  }
  const std::string size = std::to_string(static_cast<int>(wanted)) + "MB";
  fix.advice = "Give this query work_mem = " + size +
               " for its transaction (not for all: each sort of each connection may take as much), "
               "or let an index bring the rows in their order.";
  fix.sql = "SET LOCAL work_mem = '" + size + "';";
  fix.ecto = "Repo.transaction(fn ->\n  Repo.query!(\"SET LOCAL work_mem = '" + size +
             "'\")\n  Repo.all(query)\nend)";
  return fix;
}

Fix bound_rows(const AdviceRequest& request) {
  const std::string bound = binding(table_of(*request.query));
  Fix fix;
  fix.advice =
      "Read what the request shows: a limit and the columns that are used; where every row is "
      "needed (an export, a job), stream them.";
  fix.ecto = "query |> select([" + bound + "], map(" + bound +
             ", ^fields)) |> limit(^page_size) |> Repo.all()\n"
             "# or: Repo.transaction(fn -> query |> Repo.stream(max_rows: 500) |> "
             "Enum.each(&handle/1) end)";
  return fix;
}

/// A slow statement with its plan: where the time went.
std::optional<Fix> read_plan(const AdviceRequest& request) {
  const Plan* plan = plan_of(request);
  if (plan == nullptr || !plan->analyzed || !plan->root().timed) return std::nullopt;
  double inside = plan->root().total_ms;
  for (const PlanTrigger& trigger : plan->triggers)
    inside += trigger.time_ms;
  const double all = std::max(to_ms(request.worst->database_time), to_ms(plan->duration));
  const Operation operation = request.query->operation;
  const bool writes = operation == Operation::kDelete || operation == Operation::kUpdate ||
                      operation == Operation::kInsert;
  Fix fix;
  if (writes && inside < all / 2) {
    fix.advice =
        "Most of its time is outside of its plan: in the triggers of foreign keys (one on a table "
        "that has no index on the referring column), or waiting for a lock or the disk.";
    if (plan->triggers.empty()) {
      fix.advice += " auto_explain.log_triggers = on would show which.";
      fix.sql = "ALTER SYSTEM SET auto_explain.log_triggers = on; SELECT pg_reload_conf();";
    }
    return fix;
  }
  const PlanNode& worst = plan->nodes[worst_node(*plan)];
  fix.advice = "Begin with what takes the most of its time: " + label_of(worst) + ".";
  return fix;
}

}  // namespace

std::optional<Fix> fix_of_plan(const AdviceRequest& request, const Catalog* catalog) {
  switch (request.remedy) {
    case Remedy::kAddIndex:
      return add_index(request, catalog);
    case Remedy::kTrigramIndex:
      return trigram(request, catalog);
    case Remedy::kExpressionIndex:
      return expression_index(request);
    case Remedy::kInsideIndex:
      return inside_index(request, catalog);
    case Remedy::kRewritePredicate:
      return rewrite(request);
    case Remedy::kKeyset:
      return keyset(request);
    case Remedy::kBoundRows:
      return bound_rows(request);
    case Remedy::kPlanPerValue:
      return plan_per_value();
    case Remedy::kAnalyze:
      return analyze_table(request);
    case Remedy::kWorkMem:
      return work_mem(request);
    case Remedy::kReadPlan:
      return read_plan(request);
    default:
      return std::nullopt;
  }
}

}  // namespace ectoscope
