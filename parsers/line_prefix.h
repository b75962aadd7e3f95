// A log_line_prefix, made ready to be matched against lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/line_words.h"
#include "parsers/log_record.h"
#include "parsers/stamps.h"

namespace ectoscope {

/// What the head of one line says.
struct LineHead {
  LineWord word;
  size_t length = 0;        // up to the message
  size_t name_at = 0;       // where the first name begins, when there is one
  bool short_form = false;  // ended at %q: no session stands behind it
};

/// Knows all of PostgreSQL's escapes, padding among them.  Escapes that PostgreSQL does not know
/// print nothing there and match nothing here.
///
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
  bool match(std::string_view line, StampReader& stamps, LogRecord& record, LineHead& head) const;
  bool match_any_name(std::string_view line, StampReader& stamps, LogRecord& record,
                      LineHead& head) const;

  /// The line begins as this prefix does, up to a name that the client chose, and then breaks off.
  bool breaks_off_in_name(std::string_view line, StampReader& stamps) const;

  /// From some place in [from, until) on stands what follows such a name in this prefix, with a
  /// severity.
  bool has_tail(std::string_view line, size_t from, size_t until, StampReader& stamps) const;

  /// The most bytes from the start of the prefix's first name to the end of its last one, as
  /// PostgreSQL cuts names (all but 17.0, which does not).
  [[nodiscard]] size_t name_span() const { return name_span_; }

  /// A name that the client chose stands in the prefix: lines can be forged.
  [[nodiscard]] bool has_names() const { return has_names_; }
  [[nodiscard]] bool has_pid() const { return has_pid_; }
  [[nodiscard]] bool has_stamp() const { return has_stamp_; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  enum class Field : uint8_t {
    kNothing,
    kStamp,
    kFineStamp,
    kEpoch,
    kSessionStart,
    kPid,
    kNumber,
    kUser,
    kDatabase,
    kApplication,
    kHost,
    kSession,
    kVirtualXid,
    kQueryId,
    kSqlState,
    kText
  };
  struct Op {
    Field field = Field::kNothing;
    bool padded = false;
    std::string after;  // literal text that follows
  };
  struct Matching;

  static Field field_of(char escape);
  static bool is_text(Field field);
  static bool is_name(Field field);
  void add(Field field, bool padded);
  void measure_names();
  const char* read_field(const Op& op, const char* at, Matching& matching) const;
  bool match_from(size_t index, const char* at, Matching& matching) const;
  bool match_text(size_t index, const char* at, Matching& matching) const;
  bool finish(const char* at, bool short_form, Matching& matching) const;

  std::string text_;
  std::vector<Op> ops_;
  size_t session_ops_ = SIZE_MAX;  // %q stands before this op
  size_t name_span_ = 0;
  bool has_names_ = false;
  bool has_pid_ = false;
  bool has_stamp_ = false;
};

}  // namespace ectoscope
