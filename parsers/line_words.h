// The words that open a line of the stderr log, after its prefix: `LOG:  `, `DETAIL:  ` ...
//
// In PostgreSQL's own language and in the German, French and Spanish of PostgreSQL 15, in UTF-8 and
// in Latin-1.
#pragma once

#include <cstdint>
#include <string_view>

#include "parsers/log_record.h"

namespace ectoscope {

enum class LinePart : uint8_t {
  kNone,
  kRecord,  // a severity: a record begins
  kDetail,
  kHint,
  kContext,
  kStatement,
  kOther  // QUERY, LOCATION, BACKTRACE
};

struct LineWord {
  LinePart part = LinePart::kNone;
  LogSeverity severity = LogSeverity::kUnknown;
  uint32_t length = 0;    // with the colon and the two blanks
  bool location = false;  // LOCATION: the server logs verbosely
};

/// The word at the front of the text; kNone when there is none.
LineWord read_line_word(std::string_view text);

/// What csvlog and jsonlog call error_severity.
LogSeverity read_severity(std::string_view word);

/// Where the first severity with its colon and blanks stands in the text, from `from` on;
/// npos when none does.
size_t find_severity(std::string_view text, size_t from);

/// The text without ` at character 37` at its end, which the other formats have in a field.
std::string_view without_position(std::string_view message);

}  // namespace ectoscope
