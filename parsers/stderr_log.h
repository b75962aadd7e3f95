// PostgreSQL's plain log (log_destination = stderr), with any log_line_prefix.
#pragma once

#include <memory>

#include "parsers/log_format.h"
#include "parsers/log_record.h"

namespace ectoscope {

/// Holds the last record of the input back until the next line shows that it is whole; parse() with
/// `last` lets go of it, and may be followed by more input (as a tail does when its file falls
/// quiet).
std::unique_ptr<LogParser> make_stderr_parser(const LogParserOptions& options);

}  // namespace ectoscope
