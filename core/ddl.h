// What a statement that changes the schema does to who uses it meanwhile.
#pragma once

#include <cstdint>

namespace ectoscope {

/// Bits of Query::ddl.
enum Ddl : uint16_t {
  kDdlCreatesTable = 1U << 0U,     // and nobody else sees it before the transaction's end
  kDdlBuildsIndex = 1U << 1U,      // without CONCURRENTLY: writes wait
  kDdlVolatileDefault = 1U << 2U,  // a new column whose value differs from row to row: a rewrite
  kDdlChangesType = 1U << 3U,      // rewrites, or at least checks, all rows
  kDdlSetsNotNull = 1U << 4U,      // scans all rows
  kDdlForeignKey = 1U << 5U,       // checked at once, without NOT VALID
  kDdlCheck = 1U << 6U,            // likewise
  kDdlUnique = 1U << 7U,           // UNIQUE, PRIMARY KEY or EXCLUDE, not USING an index
  kDdlRenames = 1U << 8U,          // of a table or a column: code that runs uses the old name
  kDdlDropsIndex = 1U << 9U,       // without CONCURRENTLY
  kDdlRewrites = 1U << 10U,        // the table by other means: VACUUM FULL, CLUSTER, REINDEX, ...
};

}  // namespace ectoscope
