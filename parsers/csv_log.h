// PostgreSQL's csvlog: 23 columns up to PostgreSQL 12, 24 in 13, 26 from 14 on.
#pragma once

#include <memory>

#include "parsers/log_format.h"
#include "parsers/log_record.h"

namespace ectoscope {

/// A row is read byte by byte from quote to quote, never by lines: text of an attacker's choice can
/// stand at the start of a line inside quotes.  After a broken row the parser goes on at the next
/// line that reads as a whole row with a stamp and the quotes where PostgreSQL puts them; quotes
/// inside quotes are doubled, so text inside a row cannot look like that.
std::unique_ptr<LogParser> make_csv_parser(const LogParserOptions& options);

}  // namespace ectoscope
