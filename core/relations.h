// What shapes say of each other by their names and forms alone.
#pragma once

#include <string_view>

#include "core/execution.h"
#include "core/query.h"

namespace ectoscope {

/// Whether repeats of this execution's shape can be a loop over keys: one row's key compared by
/// equality (or a list of one), or one row written.  Pages, cursors, preloads and system queries
/// can't.
bool loops_over_keys(const Query& query, const Execution& execution);

/// "post_id" refers to "posts", "category_id" to "categories": equal but for the ending.
bool refers_to(std::string_view column, std::string_view table);

/// Whether a column that refers to `table` stands anywhere in the statement's text.
bool names_reference(const Query& query, std::string_view table);

}  // namespace ectoscope
