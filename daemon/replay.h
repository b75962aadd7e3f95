// Recorded logs, one after the other and over again, as if they were being written now.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "core/time.h"
#include "daemon/stamp_mover.h"

namespace ectoscope {

/// Threads: one at a time.
class Replay {
 public:
  /// `recordings` are whole logs of the stderr format, each with a stamp in it.
  explicit Replay(std::vector<std::string> recordings);

  /// Begins so that the first recording ends at `now`: what is shown first has just happened.
  void begin(EventTime now);

  /// The lines that were written by `now`, with their line breaks.
  std::string due(EventTime now);

  /// The stamp of the line that comes next.
  [[nodiscard]] EventTime next() const { return next_; }

 private:
  void enter(size_t recording, std::chrono::seconds by);
  void look_ahead();

  std::vector<std::string> recordings_;
  size_t playing_ = 0;
  std::string_view rest_;
  std::chrono::seconds by_{0};
  uint32_t pass_ = 0;
  EventTime next_;
};

/// The recordings' text.  The error says which can't be read, and why.
Result<std::vector<std::string>> read_recordings(Files& files,
                                                 const std::vector<std::string>& paths);

}  // namespace ectoscope
