// Reads a log_line_prefix off one line that was printed with it: a guess, to be tried on others.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "parsers/stamps.h"

namespace ectoscope {

struct ReadPrefix {
  std::string text;   // with PostgreSQL's escapes; %i stands for text without a meaning to us
  size_t fields = 0;  // escapes in it
  size_t keyed = 0;   // of them, behind a name of their own: user=, db= ...
};

/// `head` is the line up to its severity.  None when no stamp is in it.
std::optional<ReadPrefix> read_prefix(std::string_view head, StampReader& stamps);

}  // namespace ectoscope
