// An end, in time, for what waits on a socket.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>

namespace ectoscope {

/// Waits on a socket until a deadline, and lets a library wait no longer that knows of none: a
/// thread shuts the socket down under it, which it sees as a connection that broke.
///
/// Threads: interrupt() from any, the rest from one at a time.
class SocketGuard {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Ended { kNot, kTimeout, kInterrupted };

  SocketGuard();
  SocketGuard(const SocketGuard&) = delete;
  SocketGuard& operator=(const SocketGuard&) = delete;
  ~SocketGuard();

  /// kNot: the socket is ready for one of poll()'s `events`, or has failed.
  Ended wait(int socket, short events, Clock::time_point deadline);

  /// The socket must stay open until release(), which says whether it was shut down.
  void watch(int socket, Clock::time_point deadline);
  Ended release();

  /// Ends what waits now and all that comes later.
  void interrupt();

 private:
  void run(const std::stop_token& stop);
  void shut_down(Ended why);

  int wake_;  // readable once interrupted
  std::mutex mutex_;
  std::condition_variable_any watched_;
  uint64_t watch_ = 0;  // counts them
  int socket_ = -1;     // -1: none is watched
  Clock::time_point deadline_;
  Ended ended_ = Ended::kNot;
  bool interrupted_ = false;
  std::jthread thread_;  // the last: it uses what stands above
};

}  // namespace ectoscope
