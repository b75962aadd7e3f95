// What a database's catalog says of the tables that findings are about.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ectoscope {

struct CatalogIndex {
  std::string name;
  std::string method;  // "btree", "gin", ...
  std::vector<std::string>
      columns;                   // names without quotes, or expressions as PostgreSQL prints them
  std::vector<bool> descending;  // one a column
  std::vector<std::string> include;
  std::string where;  // the predicate of a partial index; empty: of all rows
  bool unique = false;
  bool valid = true;  // false: left behind by a CREATE INDEX CONCURRENTLY that failed
  std::vector<bool> nulls_first = {};  // one a column; empty: as PostgreSQL puts them by itself
};

struct CatalogColumn {
  std::string type;                // as PostgreSQL prints it: "bigint", "character varying(255)"
  std::optional<double> distinct;  // values; nullopt before the first ANALYZE
};

struct CatalogTable {
  double rows = -1;  // the planner's estimate; -1: never analyzed
  uint64_t bytes = 0;
  std::map<std::string, CatalogColumn> columns;
  std::vector<CatalogIndex> indexes;  // by name
};

struct CatalogForeignKey {
  std::string constraint;
  std::string table;  // the one that refers
  std::vector<std::string> columns;
  std::string referenced_table;
  std::vector<std::string> referenced_columns;
};

/// One database.  Tables are named as a statement names them: bare where the search path finds
/// them, else with their schema.
struct Catalog {
  std::map<std::string, CatalogTable, std::less<>> tables;
  std::vector<CatalogForeignKey> foreign_keys;  // by table and name

  [[nodiscard]] const CatalogTable* table(std::string_view name) const {
    const auto found = tables.find(name);
    return found == tables.end() ? nullptr : &found->second;
  }
};

}  // namespace ectoscope
