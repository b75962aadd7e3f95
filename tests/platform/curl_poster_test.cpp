// libcurl against servers that answer, refuse, hang and want to know who we are.
#include "platform/curl_poster.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <httplib.h>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/test_certificate.h"

namespace ectoscope {
namespace {

using testing::HasSubstr;

/// An HTTP server on a port that is free.
template <typename Server>
class Serving {
 public:
  template <typename... Arguments>
  explicit Serving(Arguments... arguments) : server_(arguments...) {
    server_.Post("/p/api", [this](const httplib::Request& request, httplib::Response& response) {
      const std::lock_guard guard(mutex_);
      last_ = request;
      response.status = status_;
      response.set_content(std::string(2000, 'x'), "text/plain");
    });
    server_.Post("/p/hang", [this](const httplib::Request&, httplib::Response&) {
      while (!ending_)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running())
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving() {
    ending_ = true;
    server_.stop();
    thread_.join();
  }

  [[nodiscard]] HttpTarget target(const std::string& scheme = "http") const {
    HttpTarget target;
    target.url = scheme + "://127.0.0.1:" + std::to_string(port_) + "/p/";
    return target;
  }

  void answer_with(int status) {
    const std::lock_guard guard(mutex_);
    status_ = status;
  }
  /// What was asked last.
  [[nodiscard]] httplib::Request last() const {
    const std::lock_guard guard(mutex_);
    return last_;
  }

 private:
  mutable std::mutex mutex_;
  int status_ = 200;
  httplib::Request last_;
  Server server_;
  std::atomic<bool> ending_{false};
  int port_ = 0;
  std::thread thread_;
};

using Plain = Serving<httplib::Server>;
using Tls = Serving<httplib::SSLServer>;

std::string problem_of(const HttpTarget& target) {
  const auto answer = make_curl_poster(target)->post("/api", "[]", {});
  return answer.ok() ? "" : answer.error().message;
}

TEST(CurlPoster, SendsJsonAndSaysWhatCameBack) {
  Plain server;
  const auto poster = make_curl_poster(server.target());
  for (const int status : {200, 500, 302}) {
    server.answer_with(status);
    const auto answer = poster->post("/api", R"([{"a": 1}])", {});
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer.value().status, status);
    EXPECT_EQ(answer.value().body, std::string(512, 'x')) << "its beginning is enough";
  }
  EXPECT_EQ(server.last().method, "POST");
  EXPECT_EQ(server.last().body, R"([{"a": 1}])");
  EXPECT_EQ(server.last().get_header_value("Content-Type"), "application/json");
  EXPECT_FALSE(server.last().has_header("Authorization"));
}

TEST(CurlPoster, SaysWhoWeAre) {
  Plain server;
  HttpTarget target = server.target();
  target.username = "ecto";
  target.password = "pa:ss";
  EXPECT_EQ(problem_of(target), "");
  EXPECT_EQ(server.last().get_header_value("Authorization"), "Basic ZWN0bzpwYTpzcw==");
  target.bearer_token = "t0ken";
  EXPECT_EQ(problem_of(target), "");
  EXPECT_EQ(server.last().get_header_value("Authorization"), "Bearer t0ken");
}

TEST(CurlPoster, AClosedPortIsAnError) {
  HttpTarget target;
  {
    const Plain server;
    target = server.target();
  }
  EXPECT_THAT(problem_of(target), HasSubstr("Connection refused"));
}

TEST(CurlPoster, ASlowServerIsAnError) {
  const Plain server;
  HttpTarget target = server.target();
  target.timeout = std::chrono::milliseconds(100);
  const auto answer = make_curl_poster(target)->post("/hang", "[]", {});
  ASSERT_FALSE(answer.ok());
  EXPECT_THAT(answer.error().message, HasSubstr("timed out"));
}

TEST(CurlPoster, GivesUpWhenItIsTold) {
  const Plain server;
  HttpTarget target = server.target();
  target.timeout = std::chrono::hours(1);
  std::stop_source give_up;
  std::thread later([&give_up] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    give_up.request_stop();
  });
  const auto answer = make_curl_poster(target)->post("/hang", "[]", give_up.get_token());
  later.join();
  ASSERT_FALSE(answer.ok());
  EXPECT_THAT(answer.error().message, HasSubstr("given up"));
}

class CurlTls : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "ectoscope-curl-XXXXXX";
    folder_ = mkdtemp(name.data());
    make_test_certificate(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const char* file) const { return (folder_ / file).string(); }

  std::filesystem::path folder_;
};

TEST_F(CurlTls, ChecksTheCertificate) {
  const std::string cert = path("cert.pem");
  const std::string key = path("key.pem");
  const Tls server(cert.c_str(), key.c_str());
  HttpTarget target = server.target("https");
  EXPECT_THAT(problem_of(target), HasSubstr("certificate")) << "nobody we know signed it";
  target.ca_file = cert;
  EXPECT_THAT(problem_of(target), HasSubstr("127.0.0.1")) << "it is another host's";
  target.server_name = "localhost";
  EXPECT_EQ(problem_of(target), "");
  target.server_name = "";
  target.insecure_skip_verify = true;
  EXPECT_EQ(problem_of(target), "");
}

TEST_F(CurlTls, ShowsOurOwn) {
  const std::string cert = path("cert.pem");
  const std::string key = path("key.pem");
  const Tls server(cert.c_str(), key.c_str(), cert.c_str());
  HttpTarget target = server.target("https");
  target.insecure_skip_verify = true;
  EXPECT_NE(problem_of(target), "") << "it asks for one";
  target.cert_file = cert;
  target.key_file = key;
  EXPECT_EQ(problem_of(target), "");
}

}  // namespace
}  // namespace ectoscope
