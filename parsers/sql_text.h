// From a skeleton to words that may be shown and compared.
#pragma once

#include <string>
#include <string_view>

#include "parsers/sql_aliases.h"
#include "parsers/sql_skeleton.h"

namespace ectoscope {

/// To show: SQL with usual spacing and capitals, each literal a $n after the highest parameter.
/// At most 8 KiB; what is longer ends in "...".
std::string show_sql(const SqlSkeleton& skeleton);

/// To identify: lower case, plain names unquoted, every value a `?`, each of `aliases` renamed by
/// its place (t1, t2 ...).  What is longer than 8 KiB ends in a hash of the skeleton.
std::string canonical_sql(const SqlSkeleton& skeleton, const SqlAliases& aliases);

/// " ..." and a hash: tells texts apart that are shown cut.
std::string hash_suffix(std::string_view text);

/// Aliases as the tokens suggest them, for text without a tree: names that end in a digit, after AS
/// or before a dot.
SqlAliases guess_aliases(const SqlSkeleton& skeleton);

/// Makes bytes that are no UTF-8 and control characters harmless, in place: '_' and ' '.
void make_printable(std::string& text);

}  // namespace ectoscope
