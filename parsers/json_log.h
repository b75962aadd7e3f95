// PostgreSQL's jsonlog (15 and newer): one object a line.
#pragma once

#include <memory>

#include "parsers/log_format.h"
#include "parsers/log_record.h"

namespace ectoscope {

/// Keys that we do not use are skipped, in any order and of any kind of value without brackets.
/// Line breaks never stand inside an object, so a broken one ends at its line.
std::unique_ptr<LogParser> make_json_parser(const LogParserOptions& options);

/// The same records as CloudNativePG writes them to its pods' output: each in the `record` of an
/// object whose `logger` is `postgres`, with csvlog's column names.  What `kubectl logs` puts in
/// front of a line is passed over; other loggers' lines are counted as "other_program".
std::unique_ptr<LogParser> make_cnpg_parser(const LogParserOptions& options);

}  // namespace ectoscope
