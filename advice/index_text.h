// An index as SQL and as an Ecto migration, ready to paste.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"

namespace ectoscope {

/// The name that Ecto gives it: "events_workspace_id_inserted_at_index".
std::string index_name(const IndexAdvice& index);

/// What CREATE INDEX needs besides the columns.
struct IndexBuild {
  std::string method = {};                   // "gin"; empty: a b-tree
  std::string name = {};                     // empty: index_name()
  std::string extension = {};                // that its operator class comes with
  std::vector<std::string> partitions = {};  // of its table; some of them may be unknown
};

/// "CREATE INDEX CONCURRENTLY ... ON ... (...);", with names quoted where they need it.  Of a
/// partitioned table: on the parent alone, and on each partition, attached.
std::string create_index_sql(const IndexAdvice& index, const IndexBuild& build = {});

/// "create index(:events, [:workspace_id, :inserted_at], concurrently: true)".
std::string create_index_ecto(const IndexAdvice& index, const IndexBuild& build = {});

/// A whole module, outside of a transaction and of the migration lock as a concurrent build has to
/// be; `replaced` is an index to drop after it, if any.
std::string index_migration(const IndexAdvice& index, const IndexBuild& build = {},
                            std::string_view replaced = {});

/// "title gin_trgm_ops", quoted where the name needs it.
std::string column_with(std::string_view column, std::string_view operator_class);

/// The index for LIKE '%...%' on any of the columns, and how it is built.
IndexAdvice trigram_index(std::string_view table, const std::vector<std::string>& columns);
IndexBuild trigram_build(std::string_view table, const std::vector<std::string>& columns);

}  // namespace ectoscope
