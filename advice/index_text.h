// An index as SQL and as an Ecto migration, ready to paste.
#pragma once

#include <string>
#include <string_view>

#include "core/finding.h"

namespace ectoscope {

/// The name that Ecto gives it: "events_workspace_id_inserted_at_index".
std::string index_name(const IndexAdvice& index);

/// "CREATE INDEX CONCURRENTLY ... ON ... (...);", with names quoted where they need it.
std::string create_index_sql(const IndexAdvice& index);

/// "create index(:events, [:workspace_id, :inserted_at], concurrently: true)".
std::string create_index_ecto(const IndexAdvice& index);

/// A whole module, outside of a transaction and of the migration lock as a concurrent build has to
/// be; `replaced` is an index to drop after it, if any.
std::string index_migration(const IndexAdvice& index, std::string_view replaced = {});

/// The index for LIKE '%...%' on one column; with its extension.
std::string trigram_sql(std::string_view table, std::string_view column);
std::string trigram_migration(std::string_view table, std::string_view column);

}  // namespace ectoscope
