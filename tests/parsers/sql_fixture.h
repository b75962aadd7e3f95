// What the tests of SQL share: a resolver with its tables, and a shape in one line.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "parsers/sql_shapes.h"

namespace ectoscope {

struct SqlFixture {
  explicit SqlFixture(SqlSettings settings = {}, size_t shapes_capacity = 10'000)
      : queries(shapes_capacity), shapes(queries, routes, HashKey{1, 2}, std::move(settings)) {}

  const Query& query(std::string_view sql) { return queries[shapes.resolve(sql).query]; }
  uint64_t count(std::string_view reason) const {
    const auto found = shapes.counts().find(reason);
    return found == shapes.counts().end() ? 0 : found->second;
  }

  QueryTable queries;
  Routes routes{1000};
  SqlShapes shapes;
};

/// Summary; key; predicates; order; whatever else is set.
inline std::string describe(const Query& query) {
  const auto column = [](const std::string& table, const std::string& name) {
    return (table.empty() ? "?" : table) + '.' + name;
  };
  std::string text = query.summary;
  if (query.key_form != KeyForm::kNone) {
    text += query.key_form == KeyForm::kSingle ? "; one " : "; list ";
    text += column(query.key_table, query.key_column) + ' ' + std::to_string(query.key_slot);
  }
  for (const Predicate& predicate : query.predicates) {
    text += "; " + column(predicate.table, predicate.column) + ' ' + predicate.op;
    if (predicate.slot != 0) text += ' ' + std::to_string(predicate.slot);
    if (predicate.list) text += " list";
    if (predicate.wrapped) text += " wrapped";
    if (predicate.join) text += " join";
  }
  for (const OrderColumn& order : query.order_by) {
    text += "; by " + column(order.table, order.column) + (order.descending ? " desc" : "");
  }
  if (query.has_limit) text += "; limit " + std::to_string(query.limit_slot);
  if (query.has_offset) text += "; offset " + std::to_string(query.offset_slot);
  if (query.inserted_rows > 0) text += "; rows " + std::to_string(query.inserted_rows);
  for (const auto& [flag, name] :
       {std::pair{query.aggregate, "aggregate"}, std::pair{query.range, "range"},
        std::pair{query.locks_rows, "locks"}, std::pair{query.on_conflict, "on_conflict"},
        std::pair{query.returning, "returning"}, std::pair{query.has_join, "joins"},
        std::pair{query.system, "system"}, std::pair{!query.parsed, "guessed"}}) {
    if (flag) text += std::string("; ") + name;
  }
  return text;
}

}  // namespace ectoscope
