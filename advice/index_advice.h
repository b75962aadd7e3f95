// Which index a query needs, from its plan and its text.
#pragma once

#include <string>
#include <vector>

#include "core/catalog.h"
#include "core/finding.h"
#include "core/plan.h"
#include "core/query.h"

namespace ectoscope {

/// An index that may help, and how it stands to those that exist.
struct IndexCandidate {
  IndexAdvice index;
  std::string replaces;  // an index that is its beginning, so that it can go; needs the catalog
  std::vector<std::string> partitions;  // of its table, as far as the plan reads them
};

/// What index_candidates() works from; all of it lives for the call.
struct IndexQuestion {
  const Query& query;
  const Plan* plan = nullptr;        // null: from the statement alone
  std::string_view table;            // as the plan names it
  const Catalog* catalog = nullptr;  // null: not known, and then nothing is said of what exists
};

/// Candidates, the likeliest first: columns compared with one value, then ORDER BY, then one range;
/// a column compared with a list breaks the order, so there is a second candidate which keeps it.
/// IS NULL and booleans, which are constants of the statement, become the index's condition.
/// Where the catalog says that the few other columns the query reads are narrow and the plan that
/// it reads many rows, the last candidate is the first one with them in INCLUDE. None that the
/// catalog has already, or that is the beginning of one it has.
std::vector<IndexCandidate> index_candidates(const IndexQuestion& question);

/// The same for a finding's worst occurrence; what its detector advised itself goes first.
std::vector<IndexCandidate> index_candidates(const AdviceRequest& request,
                                             const Catalog* catalog = nullptr);

/// The partitions of `table` that the plan reads: none of a table that has none.
std::vector<std::string> partitions_read(const Plan* plan, const Query& query,
                                         std::string_view table);

/// The expression of the first condition on `table` that no plain index can do, as CREATE INDEX
/// takes it: "lower(email)".  Empty when there is none, or it has a literal in it.
std::string indexable_expression(const Plan& plan, const Query& query, std::string_view table);

}  // namespace ectoscope
