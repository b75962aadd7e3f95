// Numbers for the streams that a log's records come from.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/execution.h"
#include "parsers/log_record.h"

namespace ectoscope {

/// Gives each distinct Stream a number, up to a bound.  Number 0 is the stream of which nothing is
/// known; what comes after the bound is given 0 too, and counted.
///
/// Threads: one at a time.  References stay valid while the table lives.
class StreamTable {
 public:
  static constexpr size_t kDefaultCapacity = 10'000;

  explicit StreamTable(size_t capacity = kDefaultCapacity);

  /// The stream of `record` on `server`.  `guess` is tried first: a session seldom changes its own.
  StreamId intern(std::string_view server, const LogRecord& record, StreamId guess = 0);

  const Stream& operator[](StreamId id) const { return streams_[id]; }
  [[nodiscard]] size_t size() const { return streams_.size(); }
  [[nodiscard]] uint64_t overflowed() const { return overflowed_; }

 private:
  size_t capacity_;
  std::deque<Stream> streams_;
  std::unordered_map<std::string, StreamId> numbers_;  // by all fields, NUL between
  std::string key_;                                    // scratch
  uint64_t overflowed_ = 0;
};

}  // namespace ectoscope
