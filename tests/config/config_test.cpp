#include "config/config.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/settings.h"
#include "config/values.h"

namespace ectoscope {
namespace {

using std::chrono::milliseconds;
using Type = OptionSpec::Type;

constexpr std::array kGrouping = {
    OptionSpec{"quiet_after", Type::kDuration, 1e6, 1e3, 60e6, "Quiet for so long."},
};
constexpr std::array kDetector = {
    OptionSpec{"min_repeats", Type::kInteger, 5, 2, 10'000, "So many."},
    OptionSpec{"min_distinct", Type::kRatio, 0.8, 0, 1, "So different."},
    OptionSpec{"strict", Type::kBoolean, 0, 0, 1, "Or not."},
};

const SettingsTables& tables() {
  static const SettingsTables kTables = {
      kGrouping, {{"n_plus_one_read", "N+1 reads", kDetector}, {"slow_query", "Slow queries", {}}}};
  return kTables;
}

std::string problems(std::string_view text) {
  const auto config = parse_config(text, "e.yaml", tables());
  return config.ok() ? "" : config.error().message;
}

TEST(Config, EmptyFileIsTheDefaults) {
  for (const char* text : {"", "\n", "# nothing\n", "---\n", "detectors:\ninput:\n", "{}"}) {
    const auto config = parse_config(text, "e.yaml", tables());
    ASSERT_TRUE(config.ok()) << text << config.error().message;
    EXPECT_EQ(config.value().server(), "main") << text;
    EXPECT_EQ(config.value().input().max_record_bytes, 16U << 20U) << text;
    EXPECT_EQ(config.value().grouping(), Config::defaults(tables()).grouping()) << text;
    ASSERT_EQ(config.value().detectors().size(), 2U);
    EXPECT_TRUE(config.value().detectors()[0].enabled);
    EXPECT_EQ(config.value().detectors()[0].options.integer("min_repeats"), 5);
  }
}

TEST(Config, ReadsEverySection) {
  const auto loaded = parse_config(R"(
server: shop-1
input:
  format: csvlog
  log_line_prefix: '%m [%p] '
  timezone: +02:00
  max_record_bytes: 64KiB
limits: {shapes: 1000, findings: 10}
grouping:
  quiet_after: 250ms
detectors:
  n_plus_one_read: {min_repeats: 3, min_distinct: 0.5, strict: true}
  slow_query: {enabled: false}
)",
                                   "e.yaml", tables());
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  const Config& config = loaded.value();
  EXPECT_EQ(config.server(), "shop-1");
  EXPECT_EQ(config.input().format, "csvlog");
  EXPECT_EQ(config.input().log_line_prefix, "%m [%p] ");
  EXPECT_EQ(config.input().timezone, "+02:00");
  EXPECT_EQ(config.input().max_record_bytes, 65536U);
  EXPECT_EQ(config.limits().shapes, 1000U);
  EXPECT_EQ(config.limits().findings, 10U);
  EXPECT_EQ(config.grouping().duration("quiet_after"), milliseconds(250));
  EXPECT_EQ(config.detectors()[0].options.integer("min_repeats"), 3);
  EXPECT_EQ(config.detectors()[0].options.ratio("min_distinct"), 0.5);
  EXPECT_TRUE(config.detectors()[0].options.boolean("strict"));
  EXPECT_FALSE(config.detectors()[1].enabled);
}

struct Mistake {
  const char* text;
  const char* message;  // without the closing line
};

class Mistakes : public testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreNamedWithTheirPlace) {
  const std::string expected =
      std::string(GetParam().message) + "\n1 problem; nothing was started.";
  EXPECT_EQ(problems(GetParam().text), expected) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Config, Mistakes,
    testing::Values(
        Mistake{
            "detectors:\n  n_plus_one_read:\n    min_repeats: one\n",
            "e.yaml:3:18: detectors.n_plus_one_read.min_repeats: 'one' is not an integer from 2 "
            "to 10000; the default is 5"},
        Mistake{"detectors:\n  n_plus_one_read:\n    min_repeat: 3\n",
                "e.yaml:3:5: detectors.n_plus_one_read.min_repeat: no such setting; did you mean "
                "min_repeats?"},
        Mistake{"detectors:\n  n_plus_one_read:\n    min_repeats: 1\n",
                "e.yaml:3:18: detectors.n_plus_one_read.min_repeats: '1' is not an integer from 2 "
                "to 10000; the default is 5"},
        Mistake{
            "detectors:\n  n_plus_one_read:\n    min_repeats: 010\n",
            "e.yaml:3:18: detectors.n_plus_one_read.min_repeats: '010' is not an integer from 2 "
            "to 10000; the default is 5"},
        Mistake{"detectors:\n  n_plus_one_read:\n    min_repeats:\n",
                "e.yaml:3:5: detectors.n_plus_one_read.min_repeats: no value where an integer from "
                "2 to 10000 is wanted; the default is 5"},
        Mistake{
            "detectors:\n  n_plus_one_read:\n    min_repeats: [5]\n",
            "e.yaml:3:18: detectors.n_plus_one_read.min_repeats: a list where an integer from 2 "
            "to 10000 is wanted; the default is 5"},
        Mistake{"detectors: {n_plus_one_read: {strict: yes}}",
                "e.yaml:1:39: detectors.n_plus_one_read.strict: 'yes' is not true or false; the "
                "default is false"},
        Mistake{"detectors: {n_plus_one_read: {min_distinct: 1.1}}",
                "e.yaml:1:45: detectors.n_plus_one_read.min_distinct: '1.1' is not a number from 0 "
                "to 1; the default is 0.8"},
        Mistake{
            "detectors: {n_plus_one_read: {min_distinct: .nan}}",
            "e.yaml:1:45: detectors.n_plus_one_read.min_distinct: '.nan' is not a number from 0 "
            "to 1; the default is 0.8"},
        Mistake{"grouping: {quiet_after: 250}",
                "e.yaml:1:25: grouping.quiet_after: '250' is not a duration from 1ms to 1m (with "
                "us, ms, s, m, h or d); the default is 1s"},
        Mistake{
            "grouping: {quiet_after: 2h}",
            "e.yaml:1:25: grouping.quiet_after: '2h' is not a duration from 1ms to 1m (with us, "
            "ms, s, m, h or d); the default is 1s"},
        Mistake{"input: {max_record_bytes: 1MB}",
                "e.yaml:1:27: input.max_record_bytes: '1MB' is not a size from 64KiB to 256MiB "
                "(with B, KiB, MiB or GiB); the default is 16MiB"},
        Mistake{"input: {format: gelf}",
                "e.yaml:1:17: input.format: 'gelf' is not one of auto, stderr, csvlog, jsonlog, "
                "cnpg, cloudsql, rds, syslog, journald; "
                "the default is 'auto'"},
        Mistake{"input: {log_line_prefix: '[%p] '}",
                "e.yaml:1:26: input.log_line_prefix: '[%p] ' is not a log_line_prefix with %m, %t "
                "or %n in it; the default is ''"},
        Mistake{"input: {timezone: CET}",
                "e.yaml:1:19: input.timezone: 'CET' is not UTC or an offset like +02:00; the "
                "default is 'UTC'"},
        Mistake{
            "server: ''",
            "e.yaml:1:9: server: '' is not a name of letters, digits, '_', '-' and '.', at most "
            "64 of them; the default is 'main'"},
        Mistake{"server: a\nserver: b\n",
                "e.yaml:2:1: server: given twice; the first is in line 1"},
        Mistake{"detector: {}", "e.yaml:1:1: detector: no such setting; did you mean detectors?"},
        Mistake{"colour: red",
                "e.yaml:1:1: colour: no such setting; there are: alerting, detectors, grouping, "
                "ignore, "
                "input, limits, max_event_age, overrides, owners, server, servers, state, web"},
        Mistake{"input: 3", "e.yaml:1:8: input: a mapping of settings is wanted here"},
        Mistake{"- a\n", "e.yaml:1:1: a mapping of settings is wanted here"},
        Mistake{"[a]: 1\n", "e.yaml:1:1: a setting's name is wanted here"},
        Mistake{"server: a\n---\nserver: b\n",
                "e.yaml:2:1: one YAML document is wanted, and nothing after it"},
        Mistake{"server: a: b\n", "e.yaml:1:10: not YAML: illegal map value"}));

TEST(Config, ReportsEveryProblemInTheOrderOfTheFile) {
  EXPECT_EQ(problems("detectors:\n"
                     "  slow_query: {enabled: maybe}\n"
                     "  slow_qery: {}\n"
                     "server: 'a b'\n"
                     "grouping: {quiet_after: soon, quiet_after: 1s}\n"),
            "e.yaml:2:25: detectors.slow_query.enabled: 'maybe' is not true or false; the default "
            "is true\n"
            "e.yaml:3:3: detectors.slow_qery: no such setting; did you mean slow_query?\n"
            "e.yaml:4:9: server: 'a b' is not a name of letters, digits, '_', '-' and '.', at most "
            "64 of them; the default is 'main'\n"
            "e.yaml:5:25: grouping.quiet_after: 'soon' is not a duration from 1ms to 1m (with us, "
            "ms, s, m, h or d); the default is 1s\n"
            "e.yaml:5:31: grouping.quiet_after: given twice; the first is in line 5\n"
            "5 problems; nothing was started.");
}

TEST(Config, HostileFilesEndInAMessage) {
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb +=
        "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + ", " + last + "]\n";
  }
  EXPECT_THAT(problems(bomb), testing::HasSubstr("40 problems"));
  for (const char* text : {",a", "server: a\n}", "server: a\n]\n", "}", "server: a\n...\nb"})
    EXPECT_THAT(problems(text), testing::HasSubstr("e.yaml:")) << text;
  EXPECT_THAT(problems("server: *nowhere\n"), testing::HasSubstr("not YAML"));
  EXPECT_THAT(problems("a: &a {b: *a}\n"), testing::HasSubstr("problem"));
  EXPECT_THAT(problems(std::string(100'000, '[')), testing::HasSubstr("not YAML"));
  EXPECT_THAT(problems(std::string(2'000'000, ' ')), testing::HasSubstr("larger than 1 MiB"));
  EXPECT_THAT(problems(std::string("server: a\0b", 11)), testing::HasSubstr("problem"));
  EXPECT_THAT(problems("\x1b[31m: 1\n"), testing::Not(testing::HasSubstr("\x1b")));
  std::string many;
  for (int i = 0; i < 500; ++i)
    many += "unknown_setting_" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(problems(many), testing::EndsWith("500 problems; nothing was started."));
  EXPECT_LT(problems(many).size(), 20'000U);
}

TEST(Values, ReadBackWhatTheyShow) {
  const OptionSpec any_duration{"d", Type::kDuration, 0, 0, 1e15, ""};
  for (const char* text : {"0", "1us", "250ms", "1500ms", "1s", "90s", "5m", "36h", "2d"}) {
    const auto value = parse_value(any_duration, text);
    ASSERT_TRUE(value.ok()) << text;
    EXPECT_EQ(show_value(Type::kDuration, value.value()), text);
  }
  EXPECT_EQ(parse_value(any_duration, "1.5s").value(), 1.5e6);
  for (const char* text : {"", "s", "1 s", "1s ", "-", "1e3s", "1.s", ".5s", "1.5.2s", "01s", "ms"})
    EXPECT_FALSE(parse_value(any_duration, text).ok()) << text;
}

TEST(Example, LoadsAsTheDefaults) {
  const std::string text = render_example(tables());
  const auto config = parse_config(text, "example", tables());
  ASSERT_TRUE(config.ok()) << config.error().message;
  const Config defaults = Config::defaults(tables());
  EXPECT_EQ(config.value().grouping(), defaults.grouping());
  EXPECT_EQ(config.value().detectors()[0].options, defaults.detectors()[0].options);
  EXPECT_EQ(config.value().server(), defaults.server());
  EXPECT_EQ(config.value().input().max_record_bytes, defaults.input().max_record_bytes);
  EXPECT_THAT(text, testing::HasSubstr("    # So many.\n"
                                       "    # Default 5; an integer from 2 to 10000.\n"
                                       "    min_repeats: 5\n"));
}

TEST(CommandLine, ValuesAreCheckedLikeTheFile) {
  EXPECT_EQ(problem_with("format", "jsonlog"), "");
  EXPECT_EQ(
      problem_with("format", "xml"),
      "'xml' is not one of auto, stderr, csvlog, jsonlog, cnpg, cloudsql, rds, syslog, journald");
  EXPECT_EQ(problem_with("timezone", "-03:30"), "");
  EXPECT_EQ(problem_with("timezone", "-15:00"), "'-15:00' is not UTC or an offset like +02:00");
}

}  // namespace
}  // namespace ectoscope
