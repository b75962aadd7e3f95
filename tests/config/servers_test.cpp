// `servers`, `state`, `web`, and values that come from elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "config/yaml_reader.h"

namespace ectoscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ConfigSources sources() {
  ConfigSources sources;
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "LOGS") return "/var/log/pg";
    return std::nullopt;
  };
  sources.file = [](const std::string& path) -> Result<std::string> {
    if (path == "/run/secret") return std::string("s3cret\n");
    return Error{path + ": no such file"};
  };
  return sources;
}

Result<Config> parse(std::string_view text) {
  return parse_config(text, "e.yaml", SettingsTables{}, sources());
}

std::string problems(std::string_view text) {
  const auto config = parse(text);
  return config.ok() ? "" : config.error().message;
}

TEST(Servers, TakeTheSettingsOfInputWhereTheySayNothing) {
  const auto config = parse(R"(
servers:
  - {name: a, logs: ["${LOGS}/a*.log*", "/b$$.log"]}
  - {name: b, logs: [/b.json], format: jsonlog, start_at: beginning, databases: [shop]}
input: {timezone: +02:00, max_record_bytes: 64KiB}
max_event_age: 5m
)");
  ASSERT_TRUE(config.ok()) << config.error().message;
  const auto& servers = config.value().servers();
  ASSERT_EQ(servers.size(), 2U);
  EXPECT_THAT(servers[0].logs, ElementsAre("/var/log/pg/a*.log*", "/b$.log"));
  EXPECT_TRUE(servers[0].from_end);
  EXPECT_EQ(servers[0].input.timezone, "+02:00");
  EXPECT_EQ(servers[1].input.max_record_bytes, 64U * 1024);
  EXPECT_EQ(servers[1].input.format, "jsonlog");
  EXPECT_FALSE(servers[1].from_end);
  EXPECT_THAT(servers[1].databases, ElementsAre("shop"));
  EXPECT_EQ(config.value().max_event_age(), std::chrono::minutes(5));
}

TEST(Servers, TenantsSchemasAreTheirOwnListOrInputs) {
  const auto config = parse(R"(
servers:
  - {name: a, logs: [/a.log]}
  - {name: b, logs: [/b.log], tenant_schemas: [org_*, "t-*-live"]}
  - {name: c, logs: [/c.log], tenant_schemas: []}
input: {tenant_schemas: [shop_*]}
)");
  ASSERT_TRUE(config.ok()) << config.error().message;
  const auto& servers = config.value().servers();
  EXPECT_THAT(servers[0].input.tenant_schemas, ElementsAre("shop_*"));
  EXPECT_THAT(servers[1].input.tenant_schemas, ElementsAre("org_*", "t-*-live"));
  EXPECT_THAT(servers[2].input.tenant_schemas, ElementsAre());
  EXPECT_THAT(parse("").value().input().tenant_schemas, ElementsAre("tenant_*"));
  EXPECT_EQ(problems("input: {tenant_schemas: tenant_*}").substr(0, 7), "e.yaml:");
  for (const char* glob : {"'*'", "t*", "tenant_7", "'te?ant_*'", "'ten*\"'"}) {
    EXPECT_THAT(problems(std::string("input: {tenant_schemas: [") + glob + "]}"),
                HasSubstr("is not a glob like tenant_*, with two letters and more"))
        << glob;
  }
}

TEST(Servers, StandardInputIsReadOnce) {
  EXPECT_EQ(problems("servers: [{name: a, logs: ['-']}, {name: b, logs: [/b.log]}]"), "");
  EXPECT_THAT(problems("servers: [{name: a, logs: ['-']}, {name: b, logs: ['-']}]"),
              HasSubstr("servers[1].logs: '-', standard input, is read for server 'a' already"));
}

TEST(Servers, AllMistakesAreToldAtOnce) {
  const std::string told = problems(R"(
servers:
  - {name: a, logs: [/a.log, /a.log], start_at: middle}
  - {name: a, logs: [/b.log]}
  - {logs: ["${NOWHERE}/x"]}
web: {listen_address: nowhere}
state: {keep: 1h}
)");
  for (const char* part :
       {"servers[0].logs[1]: '/a.log' stands there twice", "'middle' is not end or beginning",
        "'a' is another server's already", "the environment has no 'NOWHERE'", "needs a name",
        "web.listen_address: 'nowhere' is not HOST:PORT", "state.keep: '1h' is not"}) {
    EXPECT_THAT(told, HasSubstr(part));
  }
}

constexpr TextSpec kSecret = {"dsn", "", "a connection string",
                              [](std::string_view text) { return !text.empty(); }, ""};

std::string read_secret(std::string_view yaml, std::string& value) {
  const ConfigSources from = sources();
  YamlReader reader("e.yaml", from);
  const auto error = reader.read(yaml, [&](const YAML::Node& root) {
    YamlReader::Section section;
    reader.add_secret(kSecret, value, section);
    reader.section("", section, root);
  });
  return error ? error->message : "";
}

TEST(Secrets, StandInTheFileOrInOneOfTheirOwn) {
  std::string value;
  EXPECT_EQ(read_secret("dsn_file: /run/secret", value), "");
  EXPECT_EQ(value, "s3cret");
  value.clear();
  EXPECT_EQ(read_secret("dsn: host=db", value), "");
  EXPECT_EQ(value, "host=db");
  value.clear();
  const std::string told = read_secret("dsn: s3cret\ndsn_file: /run/secret", value);
  EXPECT_THAT(told, HasSubstr("given both here and by dsn"));
  EXPECT_THAT(told, testing::Not(HasSubstr("s3cret")));
  value.clear();
  EXPECT_THAT(read_secret("dsn_file: /nowhere", value), HasSubstr("/nowhere: no such file"));
}

}  // namespace
}  // namespace ectoscope
