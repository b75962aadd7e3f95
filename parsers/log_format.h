// The formats PostgreSQL logs in, and the parser for each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"
#include "parsers/log_record.h"

namespace ectoscope {

enum class LogFormat : uint8_t {
  kStderr,
  kCsv,
  kJson,
  kCnpg,      // jsonlog's fields in CloudNativePG's objects
  kCloudSql,  // stderr lines in Google Cloud Logging's objects
  kRds,       // stderr with Amazon's prefix
  kSyslog,    // stderr lines behind syslog's headers
  kJournald   // stderr lines as journalctl exports them
};

/// As configurations and command lines name it; none for "auto" and for what is no format.
std::optional<LogFormat> log_format_named(std::string_view name);

struct LogParserOptions {
  /// As in postgresql.conf; empty: found from the log.  Either way another one is found when the
  /// log's lines begin to look different.
  std::string log_line_prefix;
  /// For stamps whose zone has no name or one that means several (IST, CST, BST): "UTC", "CET",
  /// "+05:30" ...; see utc_offset().
  std::string timezone = "UTC";
  /// False: the messages of parse and bind records may end early, behind `duration: 1.2 ms  bind
  /// NAME: `, where the rest would have to be copied.  They are most of a log's bytes.
  bool phase_texts = true;
  /// For syslog's stamps, which have no year: the latest that is not after it.
  EventTime now{};
};

/// The format of a log that begins with `head`; none when `head` is too short to tell.  What is
/// nothing else is stderr, RDS's too: its prefix is found like any other.
std::optional<LogFormat> detect_log_format(std::string_view head);

/// `duration: 0.1 ms  parse NAME: ...` or bind, with the colon behind the name: the text needed of
/// such a message.
bool is_phase_message(std::string_view message);

std::unique_ptr<LogParser> make_log_parser(LogFormat format, const LogParserOptions& options);

/// A parser that detects the format from the first bytes it is given.
std::unique_ptr<LogParser> make_log_parser(const LogParserOptions& options);

/// Why a log_line_prefix is of no use to us: it has no stamp.  None when it is fine.
std::optional<std::string> problem_of_log_line_prefix(std::string_view log_line_prefix);

}  // namespace ectoscope
