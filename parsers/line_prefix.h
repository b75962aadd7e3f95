// A log_line_prefix, made ready to be matched against lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parsers/log_record.h"
#include "parsers/prefix_fields.h"
#include "parsers/quick_prefix.h"
#include "parsers/stamps.h"

namespace ectoscope {

/// User and database are names that the client chose: in PostgreSQL's log they may hold anything,
/// a line break too.  match() takes names without blanks only; match_any_name() all but line
/// breaks.
///
/// Threads: any, as long as each call has a StampReader of its own.
class LinePrefix {
 public:
  explicit LinePrefix(std::string_view log_line_prefix);

  /// Reads the head of a line (without its line break) into `record`; false when the whole prefix
  /// and a severity or part word are not there.  Fields that the prefix lacks stay as they are.
  /// `record` and `head` come fresh.
  bool match(std::string_view line, StampReader& stamps, LogRecord& record, LineHead& head) const;
  bool match_any_name(std::string_view line, StampReader& stamps, LogRecord& record,
                      LineHead& head) const;

  /// The line begins as this prefix does, up to a name that the client chose, and then breaks off.
  bool breaks_off_in_name(std::string_view line, StampReader& stamps) const;

  /// From some place in [from, until) on stands what follows such a name in this prefix, with a
  /// severity.
  bool has_tail(std::string_view line, size_t from, size_t until, StampReader& stamps) const;

  /// The most bytes from the start of the prefix's first name to the end of its last one, as
  /// PostgreSQL cuts names (all but 17.0, which does not).  0: no name is in it.
  [[nodiscard]] size_t name_span() const { return name_span_; }

  [[nodiscard]] bool has_pid() const { return has_pid_; }
  [[nodiscard]] bool has_stamp() const { return has_stamp_; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  struct Search;

  [[nodiscard]] bool has(PrefixField field) const;
  void measure_names();
  bool match_from(size_t index, const char* at, Search& search) const;
  bool match_text(size_t index, const char* at, Search& search) const;

  std::string text_;
  PrefixOps prefix_;
  QuickPrefix quick_;
  size_t name_span_ = 0;
  bool has_pid_ = false;
  bool has_stamp_ = false;
};

}  // namespace ectoscope
