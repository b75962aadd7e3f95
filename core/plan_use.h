// What an index could do for a plan's conditions.
#pragma once

#include <string_view>
#include <vector>

#include "core/plan.h"
#include "core/query.h"

namespace ectoscope {

/// What an index may take a condition for.
enum class ConditionUse : uint8_t {
  kNone,      // "<>", another table's, or nothing that an index knows
  kEquality,  // one value
  kList,      // one of several values
  kRange,
  kFlag,         // IS NULL, a boolean: the condition of a partial index
  kPattern,      // LIKE 'abc%': a b-tree with text_pattern_ops
  kContained,    // what stands inside the column (@>, &&, @@): a GIN or a GiST index
  kWrapped,      // the column stands inside a function or a real cast
  kFreePattern,  // LIKE '%abc', ILIKE, a regular expression: a trigram index
};

/// Of a scan's condition.  A cast that PostgreSQL itself adds between text types counts for nothing
/// unless the statement, too, says it.
ConditionUse use_of(const PlanCondition& condition, const PlanNode& scan, const Query& query);

/// All conditions of a scan: its index's and its filter's, the bitmap's below it included.
std::vector<const PlanCondition*> conditions_of(const Plan& plan, size_t scan);

/// Whether the operator asks for what stands inside a column: "@>", "&&", "@@", jsonb's "?".
bool looks_inside(std::string_view op);

/// The table that a scan reads as the statement names it: of a partition its parent, else the
/// scan's own relation.  Lives as long as both.
const std::string& table_read(const PlanNode& scan, const Query& query);

/// A column that names one row, its own or another's: "id", "user_id", "uuid".
bool id_like(std::string_view column);

}  // namespace ectoscope
