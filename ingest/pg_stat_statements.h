// The statements that read pg_stat_statements, by its version.
//
// The version is the extension's, not the server's: after pg_upgrade an old one stays until
// ALTER EXTENSION ... UPDATE.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/database.h"
#include "ingest/statement_deltas.h"

namespace ectoscope {

/// Columns by version, from PostgreSQL's documentation of 9.6 to 17.
///
///   extension  PostgreSQL  new to us
///   1.4-1.7    9.6-12      total_time
///   1.8        13          total_exec_time (total_time split into planning and execution)
///   1.9        14          toplevel; the view pg_stat_statements_info
///   1.10       15, 16      -
///   1.11       17          stats_since
struct StatementsVersion {
  int major = 0;
  int minor = 0;

  /// "1.10"; nullopt when it is no version that can be read (before 1.4).
  static std::optional<StatementsVersion> parse(std::string_view text);

  [[nodiscard]] std::string_view total_time() const {
    return minor >= 8 ? "total_exec_time" : "total_time";
  }
  [[nodiscard]] bool has_info() const { return minor >= 9; }
  [[nodiscard]] bool has_toplevel() const { return minor >= 9; }
  [[nodiscard]] bool has_since() const { return minor >= 11; }
};

/// One row: extversion, the schema (quoted where it must be), our role's oid.  None: not installed.
inline constexpr std::string_view kFindStatements =
    "SELECT e.extversion, pg_catalog.quote_ident(n.nspname), r.oid"
    " FROM pg_catalog.pg_extension e"
    " JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"
    " JOIN pg_catalog.pg_roles r ON r.rolname = current_user"
    " WHERE e.extname = 'pg_stat_statements'";

inline constexpr std::string_view kDatabaseNames =
    "SELECT oid, datname FROM pg_catalog.pg_database";

/// One row: for read_reading().
std::string reading_query(StatementsVersion version, const std::string& schema);
StatementReading read_reading(DatabaseRow row);

/// A row per entry of other users' statements, without texts: for read_statement().
std::string statements_query(StatementsVersion version, const std::string& schema,
                             const std::string& own_role);
/// nullopt: hidden from our role, or not to be read.
std::optional<StatementRow> read_statement(DatabaseRow row);

/// Rows of database, queryid and text; of all entries when `queryids` is empty.
std::string texts_query(const std::string& schema, std::span<const int64_t> queryids);

/// The field as a number; 0 when it is NULL or none.
int64_t number_in(const std::optional<std::string_view>& field);

}  // namespace ectoscope
