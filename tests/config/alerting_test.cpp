// `alerting`, `owners` and `web.external_url`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"

namespace ectoscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

SettingsTables tables() {
  SettingsTables tables;
  tables.detectors = {{"deadlock", "Deadlocks", {}}, {"slow_query", "Slow queries", {}}};
  return tables;
}

Result<Config> parse(std::string_view text) {
  ConfigSources sources;
  sources.file = [](const std::string& path) -> Result<std::string> {
    if (path == "/run/token") return std::string("s3cret\n");
    return Error{path + ": no such file"};
  };
  return parse_config(text, "e.yaml", tables(), sources);
}

TEST(Alerting, IsReadWhole) {
  const auto config = parse(R"(
alerting:
  alertmanagers:
    - {url: "http://am-1:9093/prefix/", username: ecto, password_file: /run/token, timeout: 2s}
    - url: https://am-2
      bearer_token_file: /run/token
      ca_file: /ca.pem
      cert_file: /c.pem
      key_file: /k.pem
      server_name: am.example
      insecure_skip_verify: true
  min_severity: info
  critical: [deadlock]
  external_labels: {cluster: eu1}
  resend_interval: 30s
  queue: 500
web: {external_url: "https://ectoscope.example/pg/"}
)");
  ASSERT_TRUE(config.ok()) << config.error().message;
  const AlertingConfig& alerting = config.value().alerting();
  ASSERT_EQ(alerting.alertmanagers.size(), 2U);
  HttpTarget first;
  first.url = "http://am-1:9093/prefix";
  first.username = "ecto";
  first.password = "s3cret";
  first.timeout = std::chrono::seconds(2);
  EXPECT_EQ(alerting.alertmanagers[0], first);
  HttpTarget second;
  second.url = "https://am-2";
  second.bearer_token = "s3cret";
  second.ca_file = "/ca.pem";
  second.cert_file = "/c.pem";
  second.key_file = "/k.pem";
  second.server_name = "am.example";
  second.insecure_skip_verify = true;
  EXPECT_EQ(alerting.alertmanagers[1], second);
  EXPECT_EQ(alerting.min_severity, Severity::kInfo);
  EXPECT_THAT(alerting.critical, ElementsAre("deadlock"));
  EXPECT_THAT(alerting.external_labels, ElementsAre(Pair("cluster", "eu1")));
  EXPECT_EQ(alerting.resend_interval, std::chrono::seconds(30));
  EXPECT_EQ(alerting.queue, 500U);
  EXPECT_EQ(config.value().external_url(), "https://ectoscope.example/pg");
}

TEST(Alerting, TellsNobodyByDefault) {
  const auto config = parse("");
  ASSERT_TRUE(config.ok());
  EXPECT_TRUE(config.value().alerting().alertmanagers.empty());
  EXPECT_EQ(config.value().alerting().min_severity, Severity::kWarning);
  EXPECT_TRUE(config.value().alerting().critical.empty());
  EXPECT_EQ(config.value().alerting().resend_interval, std::chrono::minutes(1));
}

TEST(Alerting, AllMistakesAreToldAtOnce) {
  const auto config = parse(R"(
alerting:
  alertmanagers:
    - {url: "http://user:pw@am:9093"}
    - {username: a, password: b, bearer_token: c}
    - {url: "http://am:1", cert_file: /c.pem}
    - {url: "http://am:1/"}
    - {url: "http://am:2", password: b}
    - {url: "http://am:3", passwort: b}
  min_severity: severe
  critical: [dead_lock]
  external_labels: {severity: x, "a-b": y, ok: ""}
  resend_interval: 1ms
web: {external_url: "example.org"}
)");
  ASSERT_FALSE(config.ok());
  for (const char* part :
       {"e.yaml:4:13: alerting.alertmanagers[0].url: 'http://user:pw@am:9093' is not an http",
        "e.yaml:5:7: alerting.alertmanagers[1]: no url", "username and bearer_token; leave one",
        "alertmanagers[2]: cert_file and key_file go together",
        "alertmanagers[3].url: 'http://am:1' stands there twice",
        "alertmanagers[4]: a password without a username",
        "alertmanagers[5].passwort: no such setting; did you mean password?",
        "min_severity: 'severe' is not one of info, warning, critical",
        "critical[0]: 'dead_lock' is no kind of finding; did you mean deadlock?",
        "external_labels.severity: alerts have this label from their finding",
        "external_labels.a-b: a label's name has letters, digits and '_' only",
        "external_labels.ok: '' is not a text", "resend_interval: '1ms' is not",
        "web.external_url: 'example.org' is not an http or https address"}) {
    EXPECT_THAT(config.error().message, HasSubstr(part));
  }
  EXPECT_THAT(config.error().message, testing::Not(HasSubstr("'b'"))) << "a password";
}

TEST(Owners, AreReadInTheirOrder) {
  const auto config = parse(R"(
owners:
  - {table: "invoice*", route: "Billing*", team: billing}
  - {application: backoffice, team: Internal Tools}
)");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_THAT(config.value().owners(),
              ElementsAre(OwnerRule{"invoice*", "Billing*", "", "billing"},
                          OwnerRule{"", "", "backoffice", "Internal Tools"}));
}

TEST(Owners, NeedATeamAndWhatIsIts) {
  const auto config = parse("owners:\n  - {table: a}\n  - {team: b}\n  - {tabel: c, team: d}\n");
  ASSERT_FALSE(config.ok());
  for (const char* part : {"e.yaml:2:5: owners[0]: no team", "owners[1]: what is the team's?",
                           "owners[2].tabel: no such setting; did you mean table?"}) {
    EXPECT_THAT(config.error().message, HasSubstr(part));
  }
}

}  // namespace
}  // namespace ectoscope
