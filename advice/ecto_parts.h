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

/// The column whose value probably changes from one query of a loop to the next, by its name; null
/// when no AND-ed equality tells.
const Predicate* looped_predicate(const Query& query);

/// A statement that a loop runs, as its fix sees it.  Lives as long as its queries.
struct LoopedQuery {
  const Query& child;
  const Query* parent = nullptr;       // null: not known
  std::vector<const Predicate*> keys;  // what changes from one run to the next; empty: not known

  [[nodiscard]] const Predicate* key() const { return keys.empty() ? nullptr : keys.front(); }
};

/// `varying` are columns of the child ("tasks.status") as the detector saw them vary; empty: they
/// are guessed by their names.
LoopedQuery looped_query(const Query& child, const Query* parent,
                         const std::vector<std::string>& varying);

/// "p.status == ^status and is_nil(p.deleted_at)" for the child's conditions besides the first key,
/// as far as they can be said of a column and a value; empty when there are none.
std::string other_conditions(const LoopedQuery& loop, std::string_view binding);

/// "from(p in Post, where: p.user_id in ^user_ids and p.status == ^status"; no closing bracket.
std::string from_list(const LoopedQuery& loop);

Fix preload(const LoopedQuery& loop);
Fix group_by(const LoopedQuery& loop);
Fix insert_all(const Query& child);
Fix upsert_all(const Query& child);
Fix update_all(const LoopedQuery& loop);
Fix delete_all(const LoopedQuery& loop);

}  // namespace ectoscope
