#include "advice/index_fixes.h"

#include <algorithm>

#include "advice/ecto_names.h"
#include "advice/index_advice.h"
#include "advice/index_text.h"
#include "advice/plan_parts.h"
#include "core/plan_use.h"

namespace ectoscope {
namespace {

void set_index(const AdviceRequest& request, const IndexAdvice& index, IndexBuild build,
               std::string_view replaces, Fix& fix) {
  const Plan* const plan = plan_of(request);
  build.partitions = partitions_read(plan, *request.query, index.table);
  fix.index = index;
  fix.sql = create_index_sql(index, build);
  fix.migration = index_migration(index, build, replaces);
  fix.verified = shown_by(plan);
  if (build.partitions.empty()) return;
  fix.advice += " " + index.table +
                " is partitioned, so it can't be built concurrently in one step: create it on the "
                "parent alone, then on each partition, and attach those.";
}

/// The trigger that took the longest.
const PlanTrigger* worst_trigger(const Plan* plan) {
  if (plan == nullptr || plan->triggers.empty()) return nullptr;
  return &*std::max_element(
      plan->triggers.begin(), plan->triggers.end(),
      [](const PlanTrigger& a, const PlanTrigger& b) { return a.time_ms < b.time_ms; });
}

/// What to say when no candidate is left.
std::string no_candidate(const AdviceRequest& request, bool of_trigger, const Catalog* catalog) {
  const std::string table(subject(request));
  const PlanTrigger* trigger = of_trigger ? worst_trigger(plan_of(request)) : nullptr;
  if (trigger != nullptr) {
    return "Create an index on the referring columns of the foreign key " + trigger->constraint +
           ".";
  }
  if (catalog != nullptr && catalog->table(table) != nullptr) {
    return "The index that the query needs is there: run ANALYZE " + table +
           ", and see whether the planner then takes it.";
  }
  return "Create an index on what the query compares of " + table + ".";
}

/// The index that finds what stands inside a column.
struct InsideMethod {
  std::string_view method;  // "gin"; empty: the plan does not tell the column's type
  std::string_view operator_class;
};

/// As the catalog has it; empty where that is not known.
std::string_view type_of(const std::string& column, const CatalogTable* table) {
  if (table == nullptr) return {};
  const auto found = table->columns.find(column);
  return found == table->columns.end() ? std::string_view() : found->second.type;
}

const CatalogIndex* inside_index_on(const std::string& column, std::string_view method,
                                    const CatalogTable* table) {
  if (table == nullptr) return nullptr;
  const auto found =
      std::find_if(table->indexes.begin(), table->indexes.end(), [&](const CatalogIndex& index) {
        return index.valid && index.method == method && index.where.empty() &&
               !index.columns.empty() && index.columns[0] == column;
      });
  return found == table->indexes.end() ? nullptr : &*found;
}

InsideMethod method_for(const PlanCondition& condition, std::string_view column_type) {
  const std::string_view type =
      condition.operand_type.empty() ? column_type : std::string_view(condition.operand_type);
  if (condition.op.starts_with('?')) return {"gin", "jsonb_ops"};
  if (condition.op == "= ANY" || type.ends_with("[]")) return {"gin", "array_ops"};
  if (condition.op == "@@") return {"gin", "tsvector_ops"};
  if (condition.function || type == "jsonb") {
    return {"gin", "jsonb_path_ops"};
  }
  if (type.ends_with("multirange")) return {"gist", "multirange_ops"};
  if (type.ends_with("range")) return {"gist", "range_ops"};
  return {};
}

/// The change of the query that lets the index serve; empty: it does as it is.
std::string inside_query(const PlanCondition& condition, std::string_view table,
                         std::string_view column) {
  const std::string bound = binding(table);
  const std::string value =
      condition.op == "= ANY" ? "[" + row_variable(column) + "]" : "%{\"key\" => value}";
  return "from(" + bound + " in " + schema_module(table) + ", where: fragment(\"? @> ?\", " +
         field_of(bound, column) + ", ^" + value + "))";
}

std::string why_inside(const PlanCondition& condition, const std::string& column) {
  if (condition.op == "= ANY") {
    return " and ask what " + column +
           " contains: no index serves a value compared with ANY of a column.";
  }
  if (!condition.function) return ": a b-tree can't find what stands inside a value.";
  return " and ask by containment (jsonb): it serves every key. Or create an index on the very "
         "expression that the query compares, which serves this one.";
}

}  // namespace

Fix add_index(const AdviceRequest& request, const Catalog* catalog) {
  Fix fix;
  const Plan* plan = plan_of(request);
  const std::vector<IndexCandidate> candidates = index_candidates(request, catalog);
  const bool of_trigger =
      request.worst != nullptr && request.worst->evidence.contains("trigger_ms");
  if (candidates.empty()) {
    fix.advice = no_candidate(request, of_trigger, catalog);
    return fix;
  }
  const IndexCandidate& best = candidates.front();
  fix.advice = "Create an index on " + words(best.index.columns) + " of " + best.index.table;
  if (of_trigger) {
    fix.advice += ": without one, each row deleted or changed searches the whole table.";
    set_index(request, best.index, {}, best.replaces, fix);
    return fix;
  }
  if (!best.index.include.empty()) {
    fix.advice += ", with " + words(best.index.include) +
                  " beside them (INCLUDE), so that the table itself need not be read";
  }
  if (best.index.where) fix.advice += ", for the rows " + *best.index.where + " alone";
  fix.advice += request.kind == "wrong_index"
                    ? ": what is compared first, the order behind it, so that the scan begins at "
                      "the first match and stops at the last."
                    : ".";
  if (!best.replaces.empty()) {
    fix.advice += " It begins with the columns of " + best.replaces + ", which can then go.";
  }
  if (plan != nullptr && !plan->analyzed) {
    fix.advice += " The log has estimates only (auto_explain.log_analyze is off).";
  }
  const bool joined = request.worst != nullptr && request.worst->evidence.contains("rows_joined");
  if (joined)
    fix.advice += " The rows that the join begins with have to be found by an index, too.";
  set_index(request, best.index, {}, best.replaces, fix);
  if (joined) fix.verified = Verification{};
  return fix;
}

Fix trigram(const AdviceRequest& request, const Catalog* catalog) {
  const std::string table(subject(request));
  const CatalogTable* const known = catalog == nullptr ? nullptr : catalog->table(table);
  std::vector<std::string> columns = columns_of(request);
  const std::string all = words(columns);
  std::erase_if(columns, [&](const std::string& column) {
    return inside_index_on(column, "gin", known) != nullptr;
  });
  Fix fix;
  if (columns.empty()) {
    fix.advice = "A GIN index on " + all + " of " + table +
                 " is there. If it is a trigram index, the pattern had fewer than three letters: "
                 "search from the third on.";
    return fix;
  }
  fix.advice = "Create a trigram index on " + words(columns) + " of " + table +
               ": a b-tree can't find what stands in the middle of a text. Patterns of three "
               "letters and more use it.";
  set_index(request, trigram_index(table, columns), trigram_build(table, columns), {}, fix);
  return fix;
}

Fix expression_index(const AdviceRequest& request) {
  const std::string table(subject(request));
  const Plan* plan = plan_of(request);
  const std::string expression =
      plan == nullptr ? std::string() : indexable_expression(*plan, *request.query, table);
  Fix fix;
  if (expression.empty()) {
    fix.advice = "Create an index on the very expression that the query compares " +
                 column_of(request) + " of " + table +
                 " by, or keep its result in a column of its own (GENERATED ALWAYS AS) and index "
                 "that.";
    return fix;
  }
  fix.advice = "Create an index on the expression " + expression + " of " + table +
               ": an index on " + column_of(request) + " can't serve it.";
  if (expression.starts_with("lower(")) {
    fix.advice += " Or make the column citext, which compares without case by itself.";
  }
  set_index(request, {table, {expression}, {"asc"}, {}, std::nullopt}, {}, {}, fix);
  return fix;
}

Fix inside_index(const AdviceRequest& request, const Catalog* catalog) {
  const std::string table(subject(request));
  const std::string column = column_of(request);
  const CatalogTable* const known = catalog == nullptr ? nullptr : catalog->table(table);
  const PlanCondition* const condition = condition_of(request);
  Fix fix;
  const InsideMethod method =
      condition == nullptr ? InsideMethod{} : method_for(*condition, type_of(column, known));
  if (condition == nullptr || method.method.empty()) {
    fix.advice = "Create a GIN index on " + column + " of " + table +
                 ", or a GiST index where it is a range: a b-tree can't find what stands inside a "
                 "value.";
    return fix;
  }
  if (condition->op == "@@" && condition->function) {
    fix.advice = "Keep the tsvector that is made of " + column +
                 " in a column of its own (GENERATED ALWAYS AS ... STORED) with a GIN index, or "
                 "create a GIN index on the very expression that the query compares.";
    return fix;
  }
  const bool rewritten = condition->op == "= ANY" || condition->function;
  if (rewritten) fix.ecto = inside_query(*condition, table, column);
  if (const CatalogIndex* existing = inside_index_on(column, method.method, known)) {
    fix.advice =
        rewritten
            ? "Ask what " + column + " contains: its index " + existing->name + " then serves."
            : "The index that the query needs is there, " + existing->name + ": run ANALYZE " +
                  table + ", and see whether the planner then takes it.";
    return fix;
  }
  fix.advice = "Create a " + std::string(method.method == "gin" ? "GIN" : "GiST") + " index on " +
               column + " of " + table + why_inside(*condition, column);
  IndexBuild build{.method = std::string(method.method)};
  build.name = std::string(without_prefix(table)) + "_" + column + "_" + build.method + "_index";
  set_index(request,
            {table, {column_with(column, method.operator_class)}, {"asc"}, {}, std::nullopt},
            std::move(build), {}, fix);
  return fix;
}

}  // namespace ectoscope
