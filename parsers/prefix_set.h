// The prefixes that one log's lines were found to have.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/line_prefix.h"
#include "parsers/prefix_finder.h"

namespace ectoscope {

/// Threads: one at a time.
class PrefixSet {
 public:
  /// `given` may be empty: then the first is found too.  `stamps` must outlive the set.
  PrefixSet(const std::string& given, StampReader& stamps);

  /// As LinePrefix's, with the first prefix that matches; the one that did so last goes first.
  bool match(std::string_view line, LogRecord& record, LineHead& head);
  bool match_any_name(std::string_view line, LogRecord& record, LineHead& head);
  [[nodiscard]] bool breaks_off_in_name(std::string_view line) const;

  /// Looks for prefixes that explain the lines of `sample`, which begins with one that no known
  /// prefix does; true when there is a new one.  `offset` is the sample's place in the input.
  /// Costly, so it is done seldom when it finds nothing.  `settled`: so much of the log has been
  /// understood that a line alone proves nothing.
  bool search(std::string_view sample, uint64_t offset, bool settled);

  [[nodiscard]] const std::vector<LinePrefix>& all() const { return prefixes_; }

  /// The prefix that matched last.
  [[nodiscard]] const LinePrefix& active() const { return prefixes_[active_]; }

 private:
  bool match_other(std::string_view line, LogRecord& record, LineHead& head);
  [[nodiscard]] bool believable(const FoundPrefix& found, bool settled) const;

  StampReader& stamps_;
  std::vector<LinePrefix> prefixes_;
  size_t active_ = 0;
  uint64_t searches_ = 0;     // in vain
  uint64_t next_search_ = 0;  // offset
};

}  // namespace ectoscope
