#include "config/web_config.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

const std::string kHash = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG";

Result<WebAccess> parse(std::string_view text, const TlsCheck& check = {}) {
  return parse_web_config(text, "/etc/e/web.yml", check);
}

TEST(WebConfig, TakesAllThatTheExporterToolkitHas) {
  const auto read = parse(R"(
tls_server_config:
  cert_file: server.pem
  key_file: /keys/server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  client_allowed_sans: [prometheus.example, 10.0.0.1]
  min_version: TLS13
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
  curve_preferences: [X25519, CurveP256]
http_server_config:
  http2: true
  headers:
    Strict-Transport-Security: max-age=31536000
    X-Frame-Options: sameorigin
    X-XSS-Protection: ""
rate_limit: {interval: 1m0.5s, burst: 20}
basic_auth_users:
  prometheus: )" + kHash + "\n");
  ASSERT_TRUE(read.ok()) << read.error().message;
  const TlsSettings& tls = read.value().tls;
  EXPECT_EQ(tls.cert_file, "/etc/e/server.pem");
  EXPECT_EQ(tls.key_file, "/keys/server.key");
  EXPECT_EQ(tls.client_auth, TlsSettings::ClientAuth::kRequireVerified);
  EXPECT_EQ(tls.client_ca_file, "/etc/e/ca.pem");
  EXPECT_THAT(tls.client_allowed_sans, ElementsAre("prometheus.example", "10.0.0.1"));
  EXPECT_EQ(tls.min_version, TlsSettings::Version::k13);
  EXPECT_THAT(tls.cipher_suites, ElementsAre("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
  EXPECT_FALSE(tls.prefer_server_cipher_suites);
  EXPECT_THAT(tls.curve_preferences, ElementsAre("X25519", "CurveP256"));
  EXPECT_THAT(read.value().headers,
              ElementsAre(Pair("Strict-Transport-Security", "max-age=31536000"),
                          Pair("X-Frame-Options", "sameorigin")));
  EXPECT_THAT(read.value().users, ElementsAre(Pair("prometheus", kHash)));
  EXPECT_EQ(read.value().rate.interval, milliseconds(60'500));
  EXPECT_EQ(read.value().rate.burst, 20U);
}

TEST(WebConfig, EmptyIsPlain) {
  const auto read = parse("");
  ASSERT_TRUE(read.ok());
  EXPECT_FALSE(read.value().tls.enabled());
  EXPECT_TRUE(read.value().users.empty());
  EXPECT_EQ(read.value().tls.min_version, TlsSettings::Version::k12);
}

TEST(WebConfig, SaysEveryProblemAtOnceWithItsPlace) {
  const auto read = parse(
      R"(tls_server_config:
  cert_file: server.pem
  client_ca_file: ca.pem
  client_allowed_sans: [x]
  min_version: TLS9
  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]
  curve_preferences: [P256]
  prefer_server_cipher_suites: perhaps
http_server_config:
  headers:
    X-Frame-Options: allow
    Server: mine
rate_limit: {interval: soon, burst: -1}
basic_auth_users:
  ada: secret
  bob: $2y$31$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG
  "a:b": )" +
          kHash + R"(
  eve: )" +
          kHash + R"(
  eve: )" +
          kHash + "\n",
      [](const TlsSettings&) {
        return std::vector<KeyProblem>{{"cert_file", "no such file"}, {"key_file", "is missing"}};
      });
  ASSERT_FALSE(read.ok());
  const std::string& all = read.error().message;
  for (const char* line : {
           "web.yml:1:1: tls_server_config.key_file: is missing\n",
           "web.yml:2:3: tls_server_config.cert_file: no such file\n",
           "web.yml:3:3: tls_server_config.client_ca_file: no client is asked for a certificate",
           "web.yml:4:3: tls_server_config.client_allowed_sans: a client may come without",
           "web.yml:5:16: tls_server_config.min_version: 'TLS9' is not one of TLS13, TLS12",
           "web.yml:6:19: tls_server_config.cipher_suites[0]: 'TLS_RSA_WITH_RC4_128_SHA' is",
           "web.yml:7:23: tls_server_config.curve_preferences[0]: 'P256' is not one of CurveP256",
           "web.yml:8:32: tls_server_config.prefer_server_cipher_suites: 'perhaps' is not one of",
           "web.yml:11:22: http_server_config.headers.X-Frame-Options: 'allow' is not one of deny",
           "web.yml:12:5: http_server_config.headers.Server: no such setting",
           "web.yml:13:24: rate_limit.interval: 'soon' is not a time like",
           "web.yml:13:37: rate_limit.burst: '-1' is not an integer from 0",
           "web.yml:15:8: basic_auth_users.ada: the value is not the bcrypt hash of a password",
           "web.yml:16:8: basic_auth_users.bob: the value has a bcrypt cost of 31; from 4 to 16",
           "web.yml:17:3: basic_auth_users.a:b: a user's name has no colon",
           "web.yml:19:3: basic_auth_users.eve: given twice; the first is in line 18\n",
           "16 problems; nothing was started.",
       }) {
    EXPECT_THAT(all, HasSubstr(line));
  }
  EXPECT_THAT(all, Not(HasSubstr("secret"))) << "a password where its hash belongs";
}

TEST(WebConfig, RefusesWhatContradictsItself) {
  const struct {
    const char* text;
    const char* problem;
  } cases[] = {
      {"tls_server_config: {min_version: TLS13, max_version: TLS12}", "no client could be served"},
      {"tls_server_config: {cert: x, cert_file: y}", "given both here and by cert_file"},
      {"tls_server_config: {client_auth_type: Perhaps}", "is not one of NoClientCert"},
      {"rate_limit: {interval: 1s}", "every request would be refused"},
      {"rate_limit: {interval: nan}", "is not a time"},
      {"rate_limit: {interval: 5}", "is not a time"},
      {"basic_auth_users: [ada]", "a mapping of settings is wanted"},
      {"http_server_config: {headers: {X-XSS-Protection: \"a\\nb\"}}", "no control characters"},
      {"web: {}", "no such setting"},
  };
  for (const auto& [text, problem] : cases) {
    const auto read = parse(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_THAT(read.error().message, HasSubstr(problem)) << text;
  }
}

}  // namespace
}  // namespace ectoscope
