// One record of PostgreSQL's log, in whichever format it was written.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/time.h"

namespace ectoscope {

/// The word before the colon in stderr; error_severity elsewhere.
enum class LogSeverity : uint8_t {
  kUnknown,
  kDebug,
  kLog,
  kInfo,
  kNotice,
  kWarning,
  kError,
  kFatal,
  kPanic
};

/// Fields that the format (or the prefix) does not carry are empty or 0.  All views point into the
/// caller's block, or into the parser's own scratch: valid until the handler returns.
/// Everything from `message` down holds literals: never log, export or keep it.
struct LogRecord {
  EventTime at;
  bool coarse_time = false;  // the stamp has no milliseconds
  LogSeverity severity = LogSeverity::kUnknown;
  int32_t pid = 0;
  bool has_query_id = false;
  int64_t query_id = 0;
  uint64_t offset = 0;           // of the record's first byte in the input
  std::string_view session;      // "6b02a7ed.33c"
  std::string_view virtual_xid;  // "12/6"
  std::string_view user;
  std::string_view database;
  std::string_view application;
  std::string_view client_host;  // without the port
  std::string_view sqlstate;
  std::string_view message;  // multi-line text without the continuation TABs
  std::string_view detail;
  std::string_view hint;
  std::string_view context;
  std::string_view statement;
};

/// Takes a parser's records one by one.
class RecordHandler {
 public:
  virtual ~RecordHandler() = default;

  virtual void on_record(const LogRecord& record) = 0;

  /// A DETAIL, HINT, CONTEXT or STATEMENT line that came apart from its record because another
  /// backend's lines stand between (stderr without the logging collector).  Its text is in the
  /// field of that name; pid says whose it is.
  virtual void on_late_part(const LogRecord& part) = 0;
};

/// What a parser could not use, by reason.  Reasons are fixed words, so the map stays small:
/// "suspicious" (a forged line, see forgery_guard.h), "no_prefix",
/// "unknown_language" (a stamp, and a severity in words that nobody here knows), "too_long",
/// "truncated", "bad_csv", "bad_json", "cut_by_rds" (a record that ends with RDS's mark for it),
/// those of envelopes (envelope_log.h); "unknown_zone" counts stamps that were read in the default
/// zone.
using DropCounts = std::map<std::string, uint64_t, std::less<>>;

/// Turns bytes into records.  One object reads one log; it remembers what it learned of it.
///
/// Threads: one at a time.
/// Errors: bytes that are no record are counted in drops() and skipped; it never throws.
class LogParser {
 public:
  virtual ~LogParser() = default;

  /// Hands every whole record in `bytes` to `handler` and returns how many bytes it is done with;
  /// the caller brings the rest again, with more behind it.  With `last` all bytes are used.
  /// It may return 0 when not even one record is whole: the caller's block must grow then.
  virtual size_t parse(std::string_view bytes, bool last, RecordHandler& handler) = 0;

  /// The caller gave up on a record that outgrew max_record_bytes and threw `bytes` of it away: the
  /// next bytes begin somewhere inside that record.  Counted as "too_long".
  virtual void skipped(uint64_t bytes) = 0;

  [[nodiscard]] virtual const DropCounts& drops() const = 0;

  /// Records handed over so far.
  [[nodiscard]] virtual uint64_t records() const = 0;
};

}  // namespace ectoscope
