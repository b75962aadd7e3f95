// What advice needs to know of a statement that its shape does not say: read from the shape's text,
// in which there is no literal and no comment.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ectoscope {

/// Where a column of ORDER BY has its NULLs.
enum class NullsAt { kDefault, kFirst, kLast };

/// Of the statement's own ORDER BY, one for each of its columns or expressions.
std::vector<NullsAt> nulls_of_order(std::string_view text);

/// The columns of the table called `alias` that a SELECT as Ecto writes it (p0."title") reads
/// anywhere; nullopt where it may read others, too.
std::optional<std::set<std::string>> columns_read(std::string_view text, std::string_view alias);

}  // namespace ectoscope
