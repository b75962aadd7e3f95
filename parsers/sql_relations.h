// The relations that a statement names: tables, CTEs, aliases.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "parsers/sql_aliases.h"
#include "parsers/sql_predicates.h"
#include "parsers/sql_tree.h"

namespace ectoscope {

/// Of the catalog, or the migrator's.
bool is_system_table(std::string_view table);

/// Threads, lifetime: for one statement, whose tree must outlive it.
class SqlRelations {
 public:
  /// Reads the whole statement: CTEs wherever they stand, and adds aliases to `aliases`.
  SqlRelations(const PgQuery__Node& statement, SqlAliases& aliases);

  /// The CTE that the relation stands for; null for a table.
  [[nodiscard]] const PgQuery__CommonTableExpr* cte_of(const PgQuery__RangeVar& relation) const;

  /// The first table that a FROM item, a query or a CTE reads; null when there is none.
  [[nodiscard]] const PgQuery__RangeVar* first_table(const PgQuery__Node* node) const;

  /// Adds what a FROM item can be called by.
  void add_sources(const PgQuery__Node* from, SqlScope& scope) const;
  void add_target(const PgQuery__RangeVar& target, SqlScope& scope) const;

  /// All tables of the statement, after those that `tables` already has.  Returns whether there
  /// are any and all are the system's.
  bool add_tables(const PgQuery__Node& statement, std::vector<std::string>& tables) const;

 private:
  std::vector<const PgQuery__CommonTableExpr*> ctes_;
};

/// Appends the name unless it is there already.
void add_table(std::string_view name, std::vector<std::string>& tables);

}  // namespace ectoscope
