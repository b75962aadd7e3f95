// Lines of a recorded log as if they were written at another time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"

namespace ectoscope {

/// The stamp at the front of a line, as `%m UTC` writes it; nothing for a line that goes on.
std::optional<EventTime> stamp_of_line(std::string_view line);

/// Moves every stamp of a line by whole seconds: the record's, and the start of its session in %c
/// ("sess=6b02ac1e.23f9"), so that sessions of one pass are not those of another.  Trace ids are
/// changed by the number of the pass, so that no id lives on for minutes.
class StampMover {
 public:
  StampMover(std::chrono::seconds by, uint32_t pass) : by_(by), pass_(pass) {}

  /// The line as it is to be, without its line break.
  [[nodiscard]] std::string moved(std::string_view line) const;

 private:
  void move_session(std::string& line) const;
  void change_trace_id(std::string& line) const;

  std::chrono::seconds by_;
  uint32_t pass_;
};

}  // namespace ectoscope
