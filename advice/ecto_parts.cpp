// What advice about loops is made of: which column varies, and the rest of the statement's WHERE.
#include "advice/ecto_parts.h"

#include <algorithm>

#include "advice/ecto_names.h"
#include "core/relations.h"

namespace ectoscope {
namespace {

bool compared_by_equality(const Predicate& predicate) {
  return predicate.op == "=" && !predicate.join && !predicate.wrapped && !predicate.column.empty();
}

/// Whether `parent` returns one row, whose key cannot be that of a whole loop: it ran before the
/// loop (who is logged in, a setting), and led to it in no other way.
bool leads_to_one(const Query& parent, const Query& child) {
  if (parent.aggregate) return true;
  if (parent.has_join || parent.key_form != KeyForm::kSingle || parent.tables.empty()) return false;
  if (parent.key_column == "id") return true;
  if (parent.key_column.ends_with("_id") || child.tables.empty()) return false;
  return !refers_to(child.key_column, parent.tables[0]) &&
         !names_reference(parent, child.tables[0]);
}

/// In Ecto's words; empty for what they would need more than a column and a value for.
std::string condition(const Predicate& predicate, bool varies, std::string_view binding) {
  if (predicate.join || predicate.wrapped || predicate.column.empty()) return {};
  const std::string field = field_of(binding, predicate.column);
  if (predicate.op == "IS NULL") return "is_nil(" + field + ")";
  if (predicate.op == "IS NOT NULL") return "not is_nil(" + field + ")";
  if (predicate.slot == 0) return {};
  const std::string value = value_variable(predicate.column);
  if (predicate.op == "=" && (predicate.list || varies))
    return field + " in ^" + values_variable(predicate.column);
  if (predicate.list) return {};
  if (predicate.op == "=") return field + " == ^" + value;
  if (predicate.op == "<>") return field + " != ^" + value;
  if (predicate.op == ">" || predicate.op == ">=")
    return field + " " + predicate.op + " ^" + value + "_from";
  if (predicate.op == "<" || predicate.op == "<=")
    return field + " " + predicate.op + " ^" + value + "_to";
  return {};
}

}  // namespace

std::string_view table_of(const Query& query) {
  return query.tables.empty() ? std::string_view("rows") : std::string_view(query.tables.front());
}

const Predicate* looped_predicate(const Query& query) {
  const auto find = [&](auto wanted) -> const Predicate* {
    const auto found = std::find_if(query.predicates.begin(), query.predicates.end(), wanted);
    return found == query.predicates.end() ? nullptr : &*found;
  };
  const Predicate* key = find([&](const Predicate& it) {
    return compared_by_equality(it) && !query.key_column.empty() && it.column == query.key_column &&
           it.table == query.key_table;
  });
  return key != nullptr ? key : find(compared_by_equality);
}

LoopedQuery looped_query(const Query& child, const Query* parent,
                         const std::vector<std::string>& varying) {
  LoopedQuery loop{child, parent, {}};
  if (parent != nullptr && leads_to_one(*parent, child)) loop.parent = nullptr;
  for (const std::string& column : varying) {
    const auto seen = std::find_if(child.predicates.begin(), child.predicates.end(),
                                   [&](const Predicate& predicate) {
                                     return compared_by_equality(predicate) &&
                                            predicate.table + "." + predicate.column == column;
                                   });
    if (seen == child.predicates.end()) {  // one that code can't name: lower(email)
      loop.keys.clear();
      return loop;
    }
    loop.keys.push_back(&*seen);
  }
  if (!varying.empty()) return loop;
  if (const Predicate* key = looped_predicate(child)) loop.keys.push_back(key);
  return loop;
}

std::string other_conditions(const LoopedQuery& loop, std::string_view binding) {
  std::string where;
  for (const Predicate& predicate : loop.child.predicates) {
    if (&predicate == loop.key() ||
        (!predicate.table.empty() && predicate.table != table_of(loop.child)))
      continue;
    const bool varies =
        std::find(loop.keys.begin(), loop.keys.end(), &predicate) != loop.keys.end();
    const std::string said = condition(predicate, varies, binding);
    if (!said.empty()) where += (where.empty() ? "" : " and ") + said;
  }
  return where;
}

std::string from_list(const LoopedQuery& loop) {
  const Predicate& key = *loop.key();
  const std::string_view table = table_of(loop.child);
  const std::string bound = binding(table);
  std::string text = "from(" + bound + " in " + schema_module(table) +
                     ", where: " + field_of(bound, key.column) + " in ^" +
                     values_variable(key.column);
  const std::string others = other_conditions(loop, bound);
  return others.empty() ? text : text + " and " + others;
}

}  // namespace ectoscope
