#include "platform/socket_guard.h"

#include <array>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using namespace std::chrono_literals;
using Clock = SocketGuard::Clock;
using Ended = SocketGuard::Ended;

// A test whose wait is not ended hangs until ctest's own time is over.
constexpr auto kNever = 10min;

class SocketGuardTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0); }
  void TearDown() override {
    for (const int end : ends_)
      ::close(end);
  }

  [[nodiscard]] int socket() const { return ends_[0]; }
  void send() const { ASSERT_EQ(::write(ends_[1], "x", 1), 1); }

  /// As a library reads that knows no deadline.  0: the socket was shut down.
  [[nodiscard]] ssize_t read_blocking() const {
    char byte = 0;
    return ::read(socket(), &byte, 1);
  }

  std::array<int, 2> ends_ = {-1, -1};
  SocketGuard guard_;
};

TEST_F(SocketGuardTest, WaitsForTheSocketOrTheDeadline) {
  EXPECT_EQ(guard_.wait(socket(), POLLIN, Clock::now() + 1ms), Ended::kTimeout);
  EXPECT_EQ(guard_.wait(socket(), POLLOUT, Clock::now() + kNever), Ended::kNot);
  send();
  EXPECT_EQ(guard_.wait(socket(), POLLIN, Clock::now() + kNever), Ended::kNot);
}

TEST_F(SocketGuardTest, ShutsDownAtTheDeadlineWhatBlocks) {
  guard_.watch(socket(), Clock::now() + 20ms);
  EXPECT_EQ(read_blocking(), 0);
  EXPECT_EQ(guard_.release(), Ended::kTimeout);
  EXPECT_EQ(guard_.release(), Ended::kNot) << "told once";
}

TEST_F(SocketGuardTest, LeavesAloneWhatEndedInTime) {
  send();
  guard_.watch(socket(), Clock::now() + kNever);
  EXPECT_EQ(read_blocking(), 1);
  EXPECT_EQ(guard_.release(), Ended::kNot);

  // No deadline of a watch that is over reaches the socket.
  guard_.watch(socket(), Clock::now() + 500ms);
  ASSERT_EQ(guard_.release(), Ended::kNot);
  std::this_thread::sleep_for(520ms);
  send();
  EXPECT_EQ(read_blocking(), 1);
}

TEST_F(SocketGuardTest, AnEarlierDeadlineReplacesALaterOne) {
  guard_.watch(socket(), Clock::now() + kNever);
  EXPECT_EQ(guard_.release(), Ended::kNot);
  guard_.watch(socket(), Clock::now() + 20ms);
  EXPECT_EQ(read_blocking(), 0);
  EXPECT_EQ(guard_.release(), Ended::kTimeout);
}

TEST_F(SocketGuardTest, InterruptEndsAllNowAndLater) {
  {
    const std::jthread other([this] {
      std::this_thread::sleep_for(10ms);
      guard_.interrupt();
    });
    guard_.watch(socket(), Clock::now() + kNever);
    EXPECT_EQ(read_blocking(), 0);
    EXPECT_EQ(guard_.release(), Ended::kInterrupted);
  }
  EXPECT_EQ(guard_.wait(ends_[1], POLLPRI, Clock::now() + kNever), Ended::kInterrupted);
  std::array<int, 2> fresh = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fresh.data()), 0);
  guard_.watch(fresh[0], Clock::now() + kNever);
  char byte = 0;
  EXPECT_EQ(::read(fresh[0], &byte, 1), 0);
  EXPECT_EQ(guard_.release(), Ended::kInterrupted);
  for (const int end : fresh)
    ::close(end);
}

TEST_F(SocketGuardTest, InterruptWakesAWait) {
  const std::jthread other([this] {
    std::this_thread::sleep_for(10ms);
    guard_.interrupt();
  });
  EXPECT_EQ(guard_.wait(socket(), POLLIN, Clock::now() + kNever), Ended::kInterrupted);
}

}  // namespace
}  // namespace ectoscope
