// Keeps forged lines of a stderr log from becoming records.
//
// Anyone who reaches the server's port can connect with a user or database name that holds line
// breaks, and PostgreSQL prints it into the prefix as it is.  So text of the attacker's choice can
// stand at the start of a line and look like a record:
//
//   2026-11-22 08:27:00.056 UTC [31659] z
//   2026-11-22 00:00:00.000 UTC [1] a@b LOG:  duration: ...@postgres app= FATAL:  role "z ...
//
// He cannot hide what PostgreSQL prints behind the name: the rest of the prefix and a severity, in
// the middle of a line.  Such a tail is what we look for, as far behind a line as its names can
// reach, before we believe a line of a session that we do not know.  Lines of known sessions (same
// pid, user and database) need no such look: their names were checked when they were new.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "parsers/line_prefix.h"

namespace ectoscope {

/// Threads: one at a time.
class ForgeryGuard {
 public:
  enum class Verdict : uint8_t { kBelieve, kDoubt, kNeedMore };

  /// Both are the parser's, and must outlive the guard; prefixes may be added.
  ForgeryGuard(const std::vector<LinePrefix>& prefixes, StampReader& stamps);

  /// Judges a line that reads as the head of a record, whose names end within
  /// `reach` bytes.  `rest` is the input from
  /// that line on, `offset` its place in the whole input.  kNeedMore: more input has to stand
  /// behind the line (never with `last`).  A believed session is known from then on.
  Verdict judge(const LogRecord& record, size_t reach, std::string_view rest, uint64_t offset,
                bool last);

  /// Judges a line that breaks off in a name: kDoubt when what follows is the rest of that name,
  /// kBelieve when it is only a line that was cut short.
  Verdict judge_broken(std::string_view rest, uint64_t offset, bool last);

  /// The bytes at this offset may belong to a name; only known sessions are believed.
  [[nodiscard]] bool doubts(uint64_t offset) const { return offset < doubtful_until_; }

 private:
  struct Place {
    std::string_view rest;
    uint64_t offset;
    bool last;
  };
  struct Session {
    uint64_t names = 0;
    int32_t pid = -1;
  };

  Session& slot(int32_t pid);
  Verdict look_ahead(const Place& place, size_t from, size_t reach, bool broken);
  bool holds_tail(std::string_view line, size_t until, bool broken);

  const std::vector<LinePrefix>& prefixes_;
  StampReader& stamps_;
  std::vector<Session> sessions_;  // one slot for each hash of a pid: a newcomer takes it over
  uint64_t doubtful_until_ = 0;
  uint64_t clean_until_ = 0;  // no tail was found up to here, behind some broken line
};

}  // namespace ectoscope
