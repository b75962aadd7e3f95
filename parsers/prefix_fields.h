// The parts of a log_line_prefix, and how each is read from a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/line_words.h"
#include "parsers/log_record.h"
#include "parsers/stamps.h"

namespace ectoscope {

enum class PrefixField : uint8_t {
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

/// A field and the literal text behind it.
struct PrefixOp {
  PrefixField field = PrefixField::kNothing;
  bool padded = false;
  std::string after;
};

struct PrefixOps {
  std::vector<PrefixOp> ops;
  size_t session_ops = SIZE_MAX;  // %q stands before this op
};

/// What the head of one line says.
struct LineHead {
  LineWord word;
  size_t length = 0;        // up to the message
  size_t pid_end = 0;       // where stamp and pid, or what there is of them, end
  size_t name_at = 0;       // where the first name begins, when there is one
  bool short_form = false;  // ended at %q: no session stands behind it
};

/// One line being read.
struct PrefixMatching {
  const char* begin;
  const char* end;
  StampReader& stamps;
  LogRecord& record;
  LineHead& head;
};

/// Knows all of PostgreSQL's escapes.  Those that it does not know print nothing there and are
/// nothing here.
PrefixOps read_log_line_prefix(std::string_view log_line_prefix);

/// A name that the client chooses freely.
inline bool is_name(PrefixField field) {
  return field == PrefixField::kUser || field == PrefixField::kDatabase;
}

inline bool is_text(PrefixField field) {
  return is_name(field) || field == PrefixField::kApplication || field == PrefixField::kHost ||
         field == PrefixField::kText;
}

// Each reads a field at `at` into the matching's record and returns where it ends; null when it is
// not there.
const char* read_stamp(PrefixField field, const char* at, PrefixMatching& matching);
inline const char* read_pid(const char* at, PrefixMatching& matching) {
  constexpr std::ptrdiff_t kLongest = 10;
  uint64_t number = 0;
  const char* const begin = at;
  for (; at != matching.end && *at >= '0' && *at <= '9'; ++at)
    number = number * 10 + static_cast<uint64_t>(*at - '0');
  if (at == begin || at - begin > kLongest || number > INT32_MAX) return nullptr;
  matching.record.pid = static_cast<int32_t>(number);
  matching.head.pid_end = static_cast<size_t>(at - matching.begin);
  return at;
}
const char* read_query_id(const char* at, PrefixMatching& matching);

void set_text(PrefixField field, std::string_view value, LogRecord& record);

/// "10.0.0.1(4321)" and "10.0.0.1" to the address alone.
std::string_view without_port(std::string_view host);

/// The line's word at `at`, with which its head ends; false when there is none.
bool finish_head(const char* at, bool short_form, PrefixMatching& matching);

}  // namespace ectoscope
