#include "platform/socket_guard.h"

#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace ectoscope {

SocketGuard::SocketGuard()
    : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

SocketGuard::~SocketGuard() {
  thread_ = {};
  if (wake_ >= 0) ::close(wake_);
}

SocketGuard::Ended SocketGuard::wait(int socket, short events, Clock::time_point deadline) {
  std::array<pollfd, 2> watched = {{{socket, events, 0}, {wake_, POLLIN, 0}}};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return Ended::kTimeout;
    const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return Ended::kTimeout;
    if (ready > 0) return watched[1].revents != 0 ? Ended::kInterrupted : Ended::kNot;
  }
}

void SocketGuard::watch(int socket, Clock::time_point deadline) {
  const std::lock_guard lock(mutex_);
  socket_ = socket;
  deadline_ = deadline;
  ended_ = Ended::kNot;
  ++watch_;
  if (interrupted_) {
    shut_down(Ended::kInterrupted);
  } else {
    watched_.notify_one();
  }
}

SocketGuard::Ended SocketGuard::release() {
  const std::lock_guard lock(mutex_);
  socket_ = -1;
  return std::exchange(ended_, Ended::kNot);
}

void SocketGuard::interrupt() {
  const std::lock_guard lock(mutex_);
  interrupted_ = true;
  if (socket_ >= 0) shut_down(Ended::kInterrupted);
  const uint64_t one = 1;
  // The counter only has to be non-zero; it can't overflow before poll() sees it.
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

/// With the lock held.
void SocketGuard::shut_down(Ended why) {
  ::shutdown(socket_, SHUT_RDWR);
  socket_ = -1;
  ended_ = why;
}

void SocketGuard::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto another = [this, seen = watch_] { return watch_ != seen; };
    if (socket_ < 0) {
      watched_.wait(lock, stop, another);
    } else if (!watched_.wait_until(lock, stop, Clock::time_point(deadline_), another) &&
               !stop.stop_requested() && socket_ >= 0) {
      shut_down(Ended::kTimeout);
    }
  }
}

}  // namespace ectoscope
