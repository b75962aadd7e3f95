#include "outputs/request_framing.h"

#include <string>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using State = RequestFrame::State;

TEST(RequestFraming, TakesWhatIsWhole) {
  const std::string request =
      "\r\nGET /a/b?c=d HTTP/1.1\r\nHost: x\r\nAccept: a, b\r\n\r\nGET /next";
  const RequestFrame frame = frame_request(request, {});
  ASSERT_EQ(frame.state, State::kComplete);
  EXPECT_EQ(frame.method, "GET");
  EXPECT_EQ(frame.path, "/a/b");
  EXPECT_EQ(request.substr(frame.size()), "GET /next");
}

TEST(RequestFraming, WaitsForTheBody) {
  const std::string head = "POST /x HTTP/1.1\r\nHost: x\r\ncontent-length: 5\r\n\r\n";
  EXPECT_EQ(frame_request(head + "1234", {}).state, State::kIncomplete);
  const RequestFrame frame = frame_request(head + "123456", {});
  ASSERT_EQ(frame.state, State::kComplete);
  EXPECT_EQ(frame.head_size, head.size());
  EXPECT_EQ(frame.body_size, 5U);
}

TEST(RequestFraming, EveryPrefixOfAGoodRequestWaits) {
  const std::string request = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
  for (size_t size = 0; size < request.size(); ++size)
    EXPECT_EQ(frame_request(request.substr(0, size), {}).state, State::kIncomplete) << size;
}

TEST(RequestFraming, RefusesWhatTwoReadersCouldReadDifferently) {
  const struct {
    const char* what;
    std::string request;
    int status;
  } cases[] = {
      {"chunked", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
      {"two lengths",
       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
      {"signed length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", 400},
      {"no length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", 400},
      {"list of lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\n", 400},
      {"long length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
       413},
      {"large body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", 413},
      {"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"folded header", "GET / HTTP/1.1\r\nHost: x\r\n  y\r\n\r\n", 400},
      {"blank before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
      {"bare line feed", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400},
      {"no colon", "GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", 400},
      {"NUL", std::string("GET / HTTP/1.1\r\nHost: x\0\r\n\r\n", 28), 400},
      {"absolute target", "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"blank in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"two parts", "GET /\r\n\r\n", 400},
      {"version", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"TLS", "\x16\x03\x01\x02", 400},
  };
  for (const auto& [what, request, status] : cases) {
    const RequestFrame frame = frame_request(request, {});
    EXPECT_EQ(frame.state, State::kRefused) << what;
    EXPECT_EQ(frame.status, status) << what;
  }
}

TEST(RequestFraming, BoundsHoldBeforeTheEndHasCome) {
  const RequestLimits limits;
  const std::string line = "GET /" + std::string(limits.request_line_bytes, 'a');
  EXPECT_EQ(frame_request(line, limits).status, 414);
  EXPECT_EQ(frame_request(line + " HTTP/1.1\r\nHost: x\r\n\r\n", limits).status, 414);
  const std::string start = "GET / HTTP/1.1\r\nHost: x\r\nA: ";
  EXPECT_EQ(frame_request(start + std::string(limits.head_bytes, 'a'), limits).status, 431);
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (size_t i = 0; i < limits.headers; ++i)
    many += "A: b\r\n";
  EXPECT_EQ(frame_request(many + "\r\n", limits).status, 431);
}

TEST(RequestFraming, OldClientsNeedNoHost) {
  EXPECT_EQ(frame_request("GET / HTTP/1.0\r\n\r\n", {}).state, State::kComplete);
}

}  // namespace
}  // namespace ectoscope
