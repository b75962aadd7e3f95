// How far reading has come, for a person who waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace ectoscope {

/// Draws one line on standard error over and over: bytes, rate, time left.  Silent unless `shown`,
/// which is for terminals alone.  Threads: one.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  /// `total` is what will be read, in bytes; 0: not known (a pipe).
  Progress(bool shown, uint64_t total) : shown_(shown), total_(total) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  void add(uint64_t bytes);

  /// Takes the line away, so that other text can be written.
  void clear();

 private:
  bool shown_;
  uint64_t total_;
  uint64_t done_ = 0;
  bool drawn_ = false;
  Clock::time_point started_ = Clock::now();
  Clock::time_point next_ = started_ + std::chrono::milliseconds(300);  // short runs show nothing
};

/// "45.2 MB of 120.0 MB, 80.0 MB/s, 1 s left"
std::string progress_line(uint64_t done, uint64_t total, std::chrono::duration<double> elapsed);

}  // namespace ectoscope
