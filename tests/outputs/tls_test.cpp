#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <openssl/ssl.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "outputs/http_front.h"
#include "outputs/tls_context.h"
#include "tests/outputs/raw_client.h"
#include "tests/test_certificate.h"

namespace ectoscope {
namespace {

using testing::HasSubstr;

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

struct Close {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    std::string name = testing::TempDir() + "ectoscope-tls-XXXXXX";
    folder_ = mkdtemp(name.data());
    make_test_certificate(folder_);
    settings_.cert_file = (folder_ / "cert.pem").string();
    settings_.key_file = (folder_ / "key.pem").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void start() {
    std::vector<KeyProblem> problems;
    auto context = TlsContext::make(settings_, problems);
    ASSERT_TRUE(context) << problems.at(0).what;
    FrontLimits limits;
    limits.request_time = std::chrono::milliseconds(500);
    front_ = std::make_unique<HttpFront>(
        limits, HttpFront::Hooks{.answer =
                                     [](WholeRequest&) {
                                       return WholeAnswer{std::string(kAnswer), true};
                                     },
                                 .admit = [](WholeRequest&, std::string_view) {},
                                 .refusal = [](int) { return std::string(); },
                                 .cut = [](std::string_view) {}});
    front_->use_tls([context] { return context; });
    auto port = front_->listen("127.0.0.1:0");
    ASSERT_TRUE(port.ok());
    port_ = port.value();
    front_->start();
  }

  /// The answer to a request over TLS; empty when no session came about.
  [[nodiscard]] std::string ask_with(int highest_version) const {
    const std::unique_ptr<SSL_CTX, Close> context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), highest_version);
    const RawClient client(port_);
    const std::unique_ptr<SSL, Close> session(SSL_new(context.get()));
    SSL_set_fd(session.get(), client.fd());
    if (SSL_connect(session.get()) != 1) return "";
    constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    SSL_write(session.get(), kRequest.data(), static_cast<int>(kRequest.size()));
    std::string answer;
    std::array<char, 4096> buffer{};
    int got = 0;
    while ((got = SSL_read(session.get(), buffer.data(), static_cast<int>(buffer.size()))) > 0)
      answer.append(buffer.data(), static_cast<size_t>(got));
    return answer;
  }

  std::filesystem::path folder_;
  TlsSettings settings_;
  std::unique_ptr<HttpFront> front_;
  uint16_t port_ = 0;
};

TEST_F(TlsTest, AnswersOverTls) {
  start();
  EXPECT_EQ(ask_with(TLS1_3_VERSION), kAnswer);
  EXPECT_EQ(ask_with(TLS1_2_VERSION), kAnswer);
}

TEST_F(TlsTest, RefusesOldVersions) {
  start();
  EXPECT_EQ(ask_with(TLS1_1_VERSION), "");
}

TEST_F(TlsTest, TellsPlainClientsWhatToDo) {
  start();
  RawClient plain(port_);
  plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(plain.read_all(), HasSubstr("This port speaks HTTPS"));
}

TEST_F(TlsTest, CutsWhoNeverGreets) {
  start();
  RawClient silent(port_);
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_TRUE(silent.closed());
}

TEST_F(TlsTest, AsksForACertificateWhereOneIsRequired) {
  settings_.client_auth = TlsSettings::ClientAuth::kRequireVerified;
  settings_.client_ca_file = settings_.cert_file;
  start();
  EXPECT_EQ(ask_with(TLS1_2_VERSION), "");
}

TEST_F(TlsTest, WrongFilesAreNamed) {
  settings_.key_file = (folder_ / "absent.pem").string();
  settings_.client_ca_file = settings_.cert_file;
  std::ofstream(folder_ / "cert.pem") << "no certificate";
  std::vector<KeyProblem> problems;
  EXPECT_EQ(TlsContext::make(settings_, problems), nullptr);
  ASSERT_EQ(problems.size(), 3U);
  EXPECT_EQ(problems[0].key, "cert_file");
  EXPECT_THAT(problems[0].what, HasSubstr("cert.pem: a certificate in PEM is wanted here"));
  EXPECT_EQ(problems[1].key, "key_file");
  EXPECT_THAT(problems[1].what, HasSubstr("absent.pem: No such file or directory"));
  EXPECT_EQ(problems[2].key, "client_ca_file");
}

}  // namespace
}  // namespace ectoscope
