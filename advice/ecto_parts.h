// Pieces of Ecto code that more than one fix is made of; and the fixes by group.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "core/query.h"

namespace ectoscope {

/// Oban's jobs have no schema of the application, and functions of their own.
inline constexpr std::string_view kJobsTable = "oban_jobs";

/// The table that a query is about; "rows" when its text did not tell.
std::string_view table_of(const Query& query);

/// The column whose value changes from one query of the loop to the next; null when no AND-ed
/// equality tells.
const Predicate* looped_predicate(const Query& query);

/// "p.status == ^status and ..." for the equalities besides `key`; empty when there are none.
std::string other_equalities(const Query& query, const Predicate* key, std::string_view binding);

/// "from(p in Post, where: p.user_id in ^user_ids and p.status == ^status"; no closing bracket.
std::string from_list(const Query& query, const Predicate& key);

Fix preload(const Query& child, const Query* parent);
Fix group_by(const Query& child);
Fix insert_all(const Query& child);
Fix upsert_all(const Query& child);
Fix update_all(const Query& child);
Fix delete_all(const Query& child);

}  // namespace ectoscope
