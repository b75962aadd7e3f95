// Finds a log's log_line_prefix from its lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/stamps.h"

namespace ectoscope {

struct FoundPrefix {
  std::string text;  // as it would stand in postgresql.conf; %i for text without a meaning to us
  size_t lines = 0;  // lines of the sample that it alone explains
  size_t keyed = 0;  // fields that stand behind a name of their own: user=, db=, app= ...
};

/// The prefixes that explain the sample's lines, the one with most lines first.  A log has more
/// than one when its settings were changed.  Each has a stamp.
///
/// From each line that has a severity a prefix is read off: stamps, numbers, addresses and
/// `key=value` by their look, names by their order.  Then each is tried on all lines, with and
/// without a %q.
std::vector<FoundPrefix> find_prefixes(std::string_view sample, StampReader& stamps);

}  // namespace ectoscope
