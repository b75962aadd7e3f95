#include "outputs/http_front.h"

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/outputs/raw_client.h"

namespace ectoscope {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// A front whose answers and refusals are too large for a socket's buffers.
class HttpFrontTest : public testing::Test {
 protected:
  static constexpr size_t kLarge = size_t{16} * 1024 * 1024;

  void start(const FrontLimits& limits) {
    front_ = std::make_unique<HttpFront>(
        limits, HttpFront::Hooks{.answer =
                                     [](WholeRequest&) {
                                       return WholeAnswer{std::string(kLarge, '.'), true};
                                     },
                                 .admit = [](WholeRequest&, std::string_view) {},
                                 .refusal =
                                     [](int status) {
                                       return "HTTP/1.1 " + std::to_string(status) + "\r\n\r\n" +
                                              std::string(kLarge, '.');
                                     },
                                 .cut =
                                     [this](std::string_view reason) {
                                       const std::lock_guard lock(mutex_);
                                       ++cuts_[std::string(reason)];
                                     }});
    auto port = front_->listen("127.0.0.1:0");
    ASSERT_TRUE(port.ok());
    port_ = port.value();
    front_->start();
  }

  [[nodiscard]] int cuts(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    return cuts_[reason];
  }

  std::mutex mutex_;
  std::map<std::string, int> cuts_;
  std::unique_ptr<HttpFront> front_;
  uint16_t port_ = 0;
};

// One that is late with taking its answer, one with its request: the refusal that the second gets
// makes the front cut the first, which is looked at next.
TEST_F(HttpFrontTest, ARefusalMayCutAnotherThatIsLate) {
  FrontLimits limits;
  limits.request_time = limits.answer_time = milliseconds(300);
  limits.unsent_bytes = kLarge;
  start(limits);
  for (int round = 1; round <= 3; ++round) {
    const RawClient slow(port_);
    slow.send(kRequest);
    RawClient late(port_);
    late.send("GET ");
    EXPECT_EQ(status_of(late.read_all()), 408);
    const auto until = steady_clock::now() + std::chrono::seconds(20);
    while (front_->connections() > 0 && steady_clock::now() < until)
      std::this_thread::sleep_for(milliseconds(5));
    EXPECT_EQ(front_->connections(), 0U);
    EXPECT_EQ(cuts("request_timeout"), round);
  }
}

}  // namespace
}  // namespace ectoscope
