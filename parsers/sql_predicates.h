// What a WHERE and the ONs of its joins compare.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/query.h"
#include "parsers/sql_tree.h"

namespace ectoscope {

/// The relations that one SELECT, UPDATE or DELETE can name, and those around it.
struct SqlScope {
  struct Source {
    std::string_view name;  // alias, or the relation's own name
    std::string table;      // empty: a function, or more than one table
  };
  std::vector<Source> sources;
  const SqlScope* outer = nullptr;

  /// Table of a column written as `qualifier.column`; without a qualifier only when there is but
  /// one relation.  Empty when it can't be told.
  [[nodiscard]] std::string table_of(std::string_view qualifier) const;
};

/// A column reference with its table; `column` is empty when `node` is none.
struct SqlColumn {
  std::string table;
  std::string column;
};
SqlColumn column_of(const PgQuery__Node* node, const SqlScope& scope);

/// Adds one Predicate for each comparison that is AND-ed in `node`.
void read_predicates(const PgQuery__Node* node, const SqlScope& scope, const SqlSlots& slots,
                     std::vector<Predicate>& out);

/// Chooses the key among query.predicates and fills the key fields, equal_slots and range.
void choose_key(Query& query);

}  // namespace ectoscope
