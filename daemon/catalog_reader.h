// The catalog facts that advice is given with, read from a server.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "core/catalog.h"
#include "core/database.h"

namespace ectoscope {

/// Of the database that `database` connects to: its largest tables, at most 10,000, without
/// PostgreSQL's own.
std::variant<Catalog, DatabaseError> read_catalog(Database& database);

/// "schema.table" or "table" as an identifier that SQL takes.
std::string quote_table(std::string_view name);

/// A name in double quotes.
std::string quote_name(std::string_view name);

}  // namespace ectoscope
