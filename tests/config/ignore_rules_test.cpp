#include "config/ignore_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ectoscope {
namespace {

const SettingsTables& tables() {
  static constexpr OptionSpec kOptions[] = {
      {"min_repeats", OptionSpec::Type::kInteger, 5, 2, 10'000, "So many."},
  };
  static const SettingsTables kTables = {
      {}, {{"n_plus_one_read", "N+1 reads", kOptions}, {"slow_query", "Slow queries", {}}}};
  return kTables;
}

std::string problems(std::string_view text) {
  const auto rules = parse_ignore_file(text, ".ectoscope.yaml", tables());
  return rules.ok() ? "" : rules.error().message;
}

TEST(IgnoreFile, ReadsEveryKey) {
  const auto rules = parse_ignore_file(R"(
ignore:
  - id: n_plus_one_read-5f0c2a9e7d3b1c44
    reason: five plans at most
    owner: billing
    expires: 2027-02-28
  - {kind: slow_query, table: "audit_*", route: "Report*.show", fingerprint: 00f3a0b1c2d3e4f5,
     reason: reports may}
)",
                                       "a.yaml", tables());
  ASSERT_TRUE(rules.ok()) << rules.error().message;
  ASSERT_EQ(rules.value().size(), 2U);
  const IgnoreRule& first = rules.value()[0];
  EXPECT_EQ(first.where, "a.yaml:3");
  EXPECT_EQ(first.id, "n_plus_one_read-5f0c2a9e7d3b1c44");
  EXPECT_EQ(first.reason, "five plans at most");
  EXPECT_EQ(first.owner, "billing");
  EXPECT_EQ(first.last_day, "2027-02-28");
  ASSERT_TRUE(first.expires);
  EXPECT_EQ(format_rfc3339(*first.expires), "2027-03-01T00:00:00.000000Z");
  const IgnoreRule& second = rules.value()[1];
  EXPECT_EQ(second.kind, "slow_query");
  EXPECT_EQ(second.table, "audit_*");
  EXPECT_EQ(second.route, "Report*.show");
  EXPECT_EQ(second.fingerprint, "00f3a0b1c2d3e4f5");
  EXPECT_FALSE(second.expires);
}

TEST(IgnoreFile, EmptyIgnoresNothing) {
  for (const char* text : {"", "ignore:\n", "ignore: []\n"})
    EXPECT_EQ(problems(text), "") << text;
}

TEST(IgnoreFile, MistakesAreNamedWithTheirPlace) {
  struct {
    const char* text;
    const char* problem;
  } const cases[] = {
      {"ignore:\n  - kind: slow_query\n",
       ":2:5: ignore[0]: no reason; say with `reason:` why this may be ignored"},
      {"ignore:\n  - {kind: slow_query, reason: ' '}\n",
       ":2:32: ignore[0].reason: a text is wanted here"},
      {"ignore:\n  - {kind: slow_query, reason: }\n",
       ":2:24: ignore[0].reason: a text is wanted here"},
      {"ignore:\n  - reason: because\n",
       ":2:5: ignore[0]: it would ignore everything; give an id, kind, table, route or "
       "fingerprint"},
      {"ignore:\n  - {kind: slow_qery, reason: r}\n",
       ":2:12: ignore[0].kind: 'slow_qery' is no kind of finding; did you mean slow_query?"},
      {"ignore:\n  - {id: slow_query-123, reason: r}\n",
       ":2:10: ignore[0].id: 'slow_query-123' is not a finding's id, like "
       "n_plus_one_read-5f0c2a9e7d3b1c44"},
      {"ignore:\n  - {fingerprint: XYZ, reason: r}\n",
       ":2:19: ignore[0].fingerprint: 'XYZ' is not a fingerprint of 16 hex digits"},
      {"ignore:\n  - {kind: slow_query, reason: r, expires: 2027-02-29}\n",
       ":2:44: ignore[0].expires: '2027-02-29' is not a day like 2026-12-31; it is the last one "
       "on which the rule holds, in UTC"},
      {"ignore:\n  - {kind: slow_query, reasn: r}\n",
       ":2:24: ignore[0].reasn: no such setting; did you mean reason?"},
      {"ignore:\n  kind: slow_query\n",
       ":2:3: ignore: a list is wanted here, each element behind a '-'"},
      {"ignore: [3]\n", ":1:10: ignore[0]: a rule like {id: ..., reason: ...} is wanted here"},
      {"detectors: {}\n", ":1:1: detectors: no such setting; there are: ignore"},
  };
  for (const auto& one : cases)
    EXPECT_THAT(problems(one.text),
                testing::HasSubstr(std::string(".ectoscope.yaml") + one.problem))
        << one.text;
  const std::string both = problems("ignore:\n  - kind: slow_query\n  - reason: r\n");
  EXPECT_THAT(both, testing::EndsWith("2 problems; nothing was started."));
}

TEST(IgnoreFile, HasABound) {
  std::string many = "ignore:\n";
  for (int i = 0; i < 1001; ++i)
    many += "  - {kind: slow_query, reason: r}\n";
  EXPECT_THAT(problems(many), testing::HasSubstr("ignore: more than 1000 elements"));
}

TEST(Overrides, TakeWhatTheyDoNotNameFromTheDetectors) {
  const auto config = parse_config(R"(
overrides:
  - match: {tag: job, application: "oban*"}
    detectors: {slow_query: {enabled: false}}
  - match: {route: "Report*"}
    detectors: {n_plus_one_read: {min_repeats: 100}}
detectors: {n_plus_one_read: {min_repeats: 7}}
ignore:
  - {kind: slow_query, reason: r}
)",
                                   "e.yaml", tables());
  ASSERT_TRUE(config.ok()) << config.error().message;
  const auto& overrides = config.value().overrides();
  ASSERT_EQ(overrides.size(), 2U);
  EXPECT_EQ(overrides[0].match.tag, "job");
  EXPECT_EQ(overrides[0].match.application, "oban*");
  EXPECT_FALSE(overrides[0].detectors[1].enabled);
  EXPECT_EQ(overrides[0].detectors[0].options.integer("min_repeats"), 7);
  EXPECT_EQ(overrides[1].detectors[0].options.integer("min_repeats"), 100);
  EXPECT_TRUE(overrides[1].detectors[1].enabled);
  EXPECT_EQ(config.value().ignore().size(), 1U);
}

TEST(Overrides, MistakesAreNamedWithTheirPlace) {
  struct {
    const char* text;
    const char* problem;
  } const cases[] = {
      {"overrides:\n  - detectors: {slow_query: {enabled: false}}\n",
       "e.yaml:2:5: overrides[0]: no `match:`; say whose traffic it is for: application, "
       "database, user, route or tag"},
      {"overrides:\n  - match: {tag: job}\n",
       "e.yaml:2:5: overrides[0]: no `detectors:`; it would change nothing"},
      {"overrides:\n  - {match: {tags: job}, detectors: {slow_query: {enabled: false}}}\n",
       "e.yaml:2:14: overrides[0].match.tags: no such setting; did you mean tag?"},
      {"overrides:\n  - {match: {tag: }, detectors: {slow_query: {enabled: false}}}\n",
       "e.yaml:2:14: overrides[0].match.tag: a name is wanted here, in which * stands for any "
       "text"},
      {"overrides:\n  - {match: {tag: job}, detectors: {n_plus_one_read: {min_repeats: 1}}}\n",
       "overrides[0].detectors.n_plus_one_read.min_repeats: '1' is not an integer from 2 to "
       "10000; the default is 5"},
  };
  for (const auto& one : cases) {
    const auto config = parse_config(one.text, "e.yaml", tables());
    ASSERT_FALSE(config.ok()) << one.text;
    EXPECT_THAT(config.error().message, testing::HasSubstr(one.problem)) << one.text;
  }
}

}  // namespace
}  // namespace ectoscope
