// Text for terminals: made harmless, shortened, wrapped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace ectoscope {

struct TextStyle {
  size_t width = 100;  // columns
  bool colours = false;
  bool unicode = true;  // false: ASCII only in what we add ourselves
};

/// The text on one line, with nothing in it that a terminal obeys: line breaks and tabs become a
/// blank, other control and direction characters \x1b or \u202e, bytes that are no UTF-8 `?`.
std::string harmless(std::string_view text);

/// Code points of UTF-8 text, which is what we take a column to be.
size_t columns(std::string_view text);

/// Cut at the end to at most `width` columns, with an ellipsis for what is gone.
std::string shorten(std::string_view text, size_t width, const TextStyle& style);

/// SQL in at most `width` columns: first the column list of the SELECT goes, then the middle, so
/// that the WHERE clause is seen.
std::string shorten_sql(std::string_view sql, size_t width, const TextStyle& style);

/// Lines of at most `width` columns, broken at blanks (a longer word stays whole).
std::vector<std::string> wrap(std::string_view text, size_t width);

/// "1,234,567"
std::string with_commas(uint64_t number);

/// "1 trace", "1,200 traces"
std::string count_of(uint64_t number, std::string_view one, std::string_view many);

/// "0.824 ms", "33.1 ms", "1.25 s", "3.2 min"
std::string readable(Micros time);

/// "812 B", "12.4 MB"
std::string readable_bytes(uint64_t bytes);

}  // namespace ectoscope
