#include <algorithm>
#include <string>
#include <vector>

#include "advice/ecto_names.h"
#include "advice/ecto_parts.h"
#include "advice/ecto_sql.h"
#include "advice/inflection.h"

namespace ectoscope {
namespace {

/// "warehouse_ids and skus": the keys' columns, each said by `say`.
template <typename Say>
std::string spoken(const std::vector<const Predicate*>& keys, Say say) {
  std::string text;
  for (const Predicate* key : keys) {
    if (key != keys.front()) text += key == keys.back() ? " and " : ", ";
    text += say(key->column);
  }
  return text;
}

/// "s.sku", or of several "{s.warehouse_id, s.sku}".
std::string fields_of(std::string_view binding, const std::vector<const Predicate*>& keys) {
  std::string fields;
  for (const Predicate* key : keys)
    fields += (fields.empty() ? "" : ", ") + field_of(binding, key->column);
  return keys.size() == 1 ? fields : "{" + fields + "}";
}

/// What of the child's statement a plain preload would lose: "from(c in Comment, where: ...)".
std::string preload_query(const LoopedQuery& loop) {
  const Query& child = loop.child;
  if (child.has_join) return {};
  const std::string_view table = table_of(child);
  const std::string bound = binding(table);
  std::string query = "from(" + bound + " in " + schema_module(table);
  const std::string where = other_conditions(loop, bound);
  if (!where.empty()) query += ", where: " + where;
  std::string order;
  for (const OrderColumn& column : child.order_by) {
    if (column.column.empty() || column.column == loop.key()->column) continue;
    order += std::string(order.empty() ? "" : ", ") + (column.descending ? "desc: " : "asc: ") +
             field_of(bound, column.column);
  }
  if (!order.empty()) query += ", order_by: [" + order + "]";
  return where.empty() && order.empty() ? std::string{} : query + ")";
}

std::string preload_call(const std::string& rows, std::string_view association,
                         const std::string& query) {
  if (query.empty()) return "Repo.preload(" + rows + ", " + atom(association) + ")";
  return "Repo.preload(" + rows + ", " + keyword(association) + " " + query + ")";
}

/// Ecto's recipe for the first rows of each parent; a preload query's own limit would be one for
/// all parents.
Fix limited_preload(const Query& child, const Predicate& key, const std::string& rows) {
  const std::string_view table = table_of(child);
  const std::string bound = binding(table);
  const std::string module = schema_module(table);
  std::string order;
  for (const OrderColumn& column : child.order_by) {
    order += std::string(order.empty() ? "" : ", ") + (column.descending ? "desc: " : "asc: ") +
             field_of(bound, column.column);
  }
  if (order.empty()) order = "asc: " + bound + ".id";
  const std::string name = rows_variable(table);
  Fix fix;
  fix.advice = "Preload the first " + name + " of all " + rows +
               " at once: number them per parent in a subquery, since a limit in a preload query "
               "counts for all parents together.";
  fix.ecto = "ranked = from(" + bound + " in " + module + ", select: %{id: " + bound +
             ".id, rank: over(row_number(), partition_by: " + field_of(bound, key.column) +
             ", order_by: [" + order + "])})\n" + "first_" + name + " = from(" + bound + " in " +
             module + ", join: r in subquery(ranked), on: r.id == " + bound +
             ".id and r.rank <= ^limit)\n" + "Repo.preload(" + rows + ", " + keyword(name) +
             " first_" + name + ")";
  return fix;
}

/// The child holds the key: `posts.user_id`.
Fix preload_many(const LoopedQuery& loop) {
  const Query& child = loop.child;
  const Query* parent = loop.parent;
  const Predicate& key = *loop.key();
  const std::string owner(foreign_key_stem(key.column));
  const std::string_view parent_table = parent == nullptr ? std::string_view{} : table_of(*parent);
  const bool conventional = parent_table.empty() || singular(without_prefix(parent_table)) == owner;
  const std::string rows = rows_variable(conventional ? std::string_view(owner) : parent_table);
  if (child.has_limit) return limited_preload(child, key, rows);
  const std::string association(without_prefix(table_of(child)));
  Fix fix;
  fix.ecto = preload_call(rows, association, preload_query(loop));
  if (conventional) {
    fix.advice = "Preload " + atom(association) + " for all " + rows + " at once (" +
                 atom(singular(association)) + " if it is a has_one).";
  } else {
    fix.advice = "Preload " + atom(association) + " for all " + rows + " at once, if " +
                 schema_module(parent_table) + " has_many " + atom(association) +
                 " with foreign_key: " + atom(key.column) + "; else preload them where the " +
                 plural(owner) + " are loaded.";
  }
  return fix;
}

/// The parent holds the key of one child each: `users.id`.
Fix preload_one(const LoopedQuery& loop) {
  const Query& child = loop.child;
  const Query* parent = loop.parent;
  const std::string_view table = table_of(child);
  const bool known = parent != nullptr;
  const bool itself = known && table_of(*parent) == table;
  const std::string association = itself ? "parent" : singular(without_prefix(table));
  const std::string rows = known ? rows_variable(table_of(*parent)) : "records";
  Fix fix;
  fix.ecto = preload_call(rows, association, {});
  if (itself) {
    fix.advice = "Preload the association that leads from one of the " + rows +
                 " to another for all of them at once, if " + schema_module(table) +
                 " belongs_to " + atom(association) + ".";
  } else if (known) {
    fix.advice = "Preload " + atom(association) + " for all " + rows + " at once, if " +
                 schema_module(table_of(*parent)) + " belongs_to " + atom(association) +
                 "; if the ids come from elsewhere, load them with where: " + binding(table) +
                 ".id in ^ids.";
  } else {
    fix.advice = "Preload " + atom(association) +
                 " for all records at once where they are loaded, if they belong_to " +
                 atom(association) + "; else load them with where: " + binding(table) +
                 ".id in ^ids.";
  }
  return fix;
}

/// The key is a joined table's: many_to_many, or has_many through.
Fix preload_through(const LoopedQuery& loop) {
  const Query& child = loop.child;
  const Query* parent = loop.parent;
  const Predicate& key = *loop.key();
  const std::string owner(foreign_key_stem(key.column));
  const std::string rows = parent != nullptr
                               ? rows_variable(table_of(*parent))
                               : (owner.empty() ? std::string("records") : rows_variable(owner));
  const std::string association(without_prefix(table_of(child)));
  Fix fix;
  fix.advice = "Preload " + atom(association) + " for all " + rows +
               " at once, if they are associated through " +
               std::string(without_prefix(key.table)) + " (many_to_many or has_many through:).";
  fix.ecto = preload_call(rows, association, {});
  return fix;
}

/// No association's key: Repo.get_by and the like.
Fix load_together(const LoopedQuery& loop) {
  const std::string rows = rows_variable(table_of(loop.child));
  Fix fix;
  if (loop.keys.empty()) {
    fix.advice = "Load the " + rows +
                 " of the whole loop in one query before it, and pick from them inside.";
    return fix;
  }
  std::string by;
  for (const Predicate* key : loop.keys)
    by += "_" + value_variable(key->column);
  fix.advice = "Load the " + rows + " of all " + spoken(loop.keys, values_variable) +
               " in one query before the loop, and look them up by " +
               spoken(loop.keys, [](std::string_view column) { return std::string(column); }) +
               " inside.";
  const std::string field = fields_of("&1", loop.keys);
  const bool many = loop.child.has_limit || !loop.child.order_by.empty();  // one has no order
  fix.ecto = rows + " = Repo.all(" + from_list(loop) + "))\n" + rows + "_by" + by + " = " +
             (many ? "Enum.group_by(" + rows + ", & " + field + ")"
                   : "Map.new(" + rows + ", &{" + field + ", &1})");
  return fix;
}

/// SELECT ... FOR UPDATE: a preload would not lock.
Fix lock_together(const LoopedQuery& loop) {
  const std::string rows = rows_variable(table_of(loop.child));
  const std::string field = field_of(binding(table_of(loop.child)), loop.key()->column);
  Fix fix;
  fix.advice =
      "Lock all " + rows +
      " in one query before the loop, in the order of the key, so that two requests cannot "
      "wait for each other.";
  fix.ecto =
      rows + " = Repo.all(" + from_list(loop) + ", order_by: " + field + ", lock: \"FOR UPDATE\"))";
  return fix;
}

/// Repo.preload of one record at a time: already a list, of one.
Fix preload_once(const LoopedQuery& loop) {
  Fix fix;
  if (loop.child.has_join) {
    fix = preload_through(loop);
  } else if (loop.key()->column == "id") {
    fix = preload_one(loop);
  } else if (!foreign_key_stem(loop.key()->column).empty()) {
    fix = preload_many(loop);
  } else {
    return load_together(loop);
  }
  fix.advice += " It is preloaded for one record at a time now: give Repo.preload the whole list.";
  return fix;
}

}  // namespace

Fix preload(const LoopedQuery& loop) {
  const Query& child = loop.child;
  const Predicate* key = loop.key();
  if (key == nullptr) return load_together(loop);
  if (child.locks_rows) return lock_together(loop);
  if (key->list) return preload_once(loop);
  if (loop.keys.size() > 1) return load_together(loop);
  if (child.has_join && key->table != table_of(child)) return preload_through(loop);
  if (key->column == "id") return preload_one(loop);
  if (!foreign_key_stem(key->column).empty()) return preload_many(loop);
  return load_together(loop);
}

Fix group_by(const LoopedQuery& loop) {
  const Query& child = loop.child;
  const Predicate* key = loop.key();
  const std::string_view table = table_of(child);
  Fix fix;
  if (key == nullptr) {
    fix.advice = "Compute the figure for all " + rows_variable(table) +
                 " in one query with group_by before the loop.";
    return fix;
  }
  const std::string bound = binding(table);
  const std::string field = fields_of(bound, loop.keys);
  const Aggregate aggregate = aggregate_of(child.text);
  const std::string list = spoken(loop.keys, values_variable);
  if (aggregate.function.empty()) {
    fix.advice =
        "Ask once which of the " + list + " have " + rows_variable(table) + ", before the loop.";
    fix.ecto =
        from_list(loop) + ", distinct: true, select: " + field + ") |> Repo.all() |> MapSet.new()";
    return fix;
  }
  const std::string figure =
      aggregate.column.empty()
          ? (aggregate.function == "count" ? "count()" : aggregate.function + "(...)")
          : aggregate.function + "(" + field_of(bound, aggregate.column) + ")";
  fix.advice = "Compute the " + aggregate.function + " for all " + list +
               " in one query with group_by before the loop" +
               (aggregate.function == "count" ? "; those without any are not in the result." : ".");
  const std::string group =
      loop.keys.size() == 1 ? field : "[" + field.substr(1, field.size() - 2) + "]";
  fix.ecto = from_list(loop) + ", group_by: " + group + ", select: {" + field + ", " + figure +
             "}) |> Repo.all() |> Map.new()";
  return fix;
}

}  // namespace ectoscope
