// Plans and the executions that they belong to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parsers/execution_builder.h"
#include "parsers/plan_text.h"
#include "tests/parsers/execution_fixture.h"

namespace ectoscope {
namespace {

using testing::ElementsAre;

constexpr const char* kPlan1 = "duration: 50.000 ms  plan:\n{\n  \"Query Text\": \"SELECT 1\",\n";
constexpr const char* kPlan2 = "duration: 20.000 ms  plan:\nQuery Text: SELECT 2\nResult  (cost=0.";

TEST(PlanText, FindsTheStatementInEachFormat) {
  struct {
    const char* why;
    const char* plan;
    const char* sql;
  } cases[] = {
      {"JSON", "\n{\n  \"Query Text\": \"SELECT \\\"id\\\"\\n/*a\\u00e9*/\",\n  \"Plan\": {",
       "SELECT \"id\"\n/*a\xC3\xA9*/"},
      {"text", "\nQuery Text: SELECT 1\nSeq Scan on a  (cost=0.00..1.00 rows=1 width=4)",
       "SELECT 1"},
      {"text over two lines", "\nQuery Text: SELECT 1\nFROM a\nSeq Scan on a  (cost=0.00..1.00)",
       "SELECT 1\nFROM a"},
      {"text with parameters",
       "\nQuery Text: SELECT $1\nQuery Parameters: $1 = '1'\nResult  (cost=", "SELECT $1"},
      {"YAML", "\nQuery Text: \"SELECT 1\\nFROM a\"\nPlan: ", "SELECT 1\nFROM a"},
      {"XML", "\n<explain>\n  <Query-Text>SELECT a &lt; 1</Query-Text>", "SELECT a < 1"},
      {"none", "\n{\n  \"Plan\": {}\n}", ""},
      {"cut", "\n{\n  \"Query Text\": \"SELECT 1", "SELECT 1"},
      {"empty", "", ""},
  };
  std::string scratch;
  for (const auto& c : cases)
    EXPECT_EQ(query_of_plan(c.plan, scratch), c.sql) << c.why;
}

struct Line {
  int64_t ms;
  const char* message;
};

struct Case {
  const char* why;
  std::vector<Line> lines;
  std::vector<std::string> expected;
};

const std::vector<Case> kCases = {
    {"after the execute",
     {{100, "duration: 0.500 ms  bind <unnamed>: SELECT 1"},
      {150, "duration: 50.100 ms  execute <unnamed>: SELECT 1"},
      {150, kPlan1}},
     {"SELECT 1 50600us 99.5-150.0 plan"}},
    {"before the execute",
     {{100, "duration: 0.500 ms  bind <unnamed>: SELECT 1"},
      {150, kPlan1},
      {150, "duration: 50.100 ms  execute <unnamed>: SELECT 1"}},
     {"SELECT 1 50600us 99.5-150.0 plan"}},
    {"after it, with another entry between",
     {{150, "duration: 50.100 ms  execute <unnamed>: SELECT 1"},
      {150, "temporary file: path \"base/pgsql_tmp/pgsql_tmp828.0\", size 40951808"},
      {400, kPlan1}},
     {"SELECT 1 50100us 99.9-150.0 plan"}},
    {"after it, when the next statement is parsed already",
     {{150, "duration: 50.100 ms  execute <unnamed>: SELECT 1"},
      {160, "duration: 0.500 ms  parse <unnamed>: SELECT 2"},
      {161, kPlan1},
      {161, "duration: 0.500 ms  bind <unnamed>: SELECT 2"},
      {162, "duration: 0.500 ms  execute <unnamed>: SELECT 2"}},
     {"SELECT 1 50100us 99.9-150.0 plan", "SELECT 2 1500us 159.5-162.0 parsed"}},
    {"the same statement twice, the second slow: a bind is open, so it is the second's",
     {{100, "duration: 0.100 ms  execute <unnamed>: SELECT 1"},
      {110, "duration: 0.100 ms  bind <unnamed>: SELECT 1"},
      {160, kPlan1},
      {160, "duration: 50.100 ms  execute <unnamed>: SELECT 1"}},
     {"SELECT 1 100us 99.9-100.0", "SELECT 1 50200us 109.9-160.0 plan"}},
    {"simple protocol: the plan comes first",
     {{150, kPlan1}, {150, "duration: 50.100 ms  statement: SELECT 1"}},
     {"SELECT 1 50100us 99.9-150.0 plan simple"}},
    {"with log_statement the statement is open when the plan comes",
     {{100, "statement: SELECT 1"}, {150, kPlan1}, {150, "duration: 50.100 ms"}},
     {"SELECT 1 50100us 99.9-150.0 plan simple"}},
    {"nested statements are part of the outer one",
     {{140, kPlan2}, {150, kPlan1}, {150, "duration: 50.100 ms  statement: SELECT 1"}},
     {"SELECT 1 50100us 99.9-150.0 plan simple"}},
    {"nested before, own after the execute",
     {{100, "duration: 0.500 ms  bind <unnamed>: SELECT 1"},
      {140, kPlan2},
      {150, "duration: 50.100 ms  execute <unnamed>: SELECT 1"},
      {150, kPlan1}},
     {"SELECT 1 50600us 99.5-150.0 plan"}},
    {"log_min_duration_statement = -1: the plan is all there is",
     {{150, kPlan1}, {250, kPlan1}, {300, kPlan2}},
     {"SELECT 1 50000us 100.0-150.0 plan plan_only", "SELECT 1 50000us 200.0-250.0 plan plan_only",
      "SELECT 2 20000us 280.0-300.0 plan plan_only"}},
    {"the same with nested statements",
     {{140, kPlan2}, {150, kPlan1}},
     {"SELECT 1 50000us 100.0-150.0 plan plan_only"}},
    {"more plans than are held",
     {{100, kPlan2}, {200, kPlan2}, {300, kPlan2}, {400, kPlan2}, {500, kPlan2}},
     {"SELECT 2 20000us 80.0-100.0 plan plan_only", "SELECT 2 20000us 180.0-200.0 plan plan_only",
      "SELECT 2 20000us 280.0-300.0 plan plan_only", "SELECT 2 20000us 380.0-400.0 plan plan_only",
      "SELECT 2 20000us 480.0-500.0 plan plan_only"}},
    {"a plan alone is given out when the next statement begins",
     {{150, kPlan1},
      {200, "duration: 0.500 ms  bind <unnamed>: SELECT 2"},
      {201, "duration: 0.100 ms  execute <unnamed>: SELECT 2"}},
     {"SELECT 1 50000us 100.0-150.0 plan plan_only", "SELECT 2 600us 199.5-201.0"}},
};

TEST(PlanLink, CountsAPlanWithItsStatement) {
  for (const Case& c : kCases) {
    BuilderFixture fixture;
    for (const Line& line : c.lines)
      fixture.log(line.ms, line.message);
    EXPECT_THAT(fixture.flushed(), testing::ElementsAreArray(c.expected)) << c.why;
  }
}

TEST(PlanLink, APlanThatComesAfterItsExecutionWasGivenOutIsNotAnother) {
  BuilderFixture fixture;
  fixture.log(150, "duration: 50.100 ms  execute <unnamed>: SELECT 1");
  fixture.builder.hand_out();
  fixture.log(400, kPlan1);
  EXPECT_THAT(fixture.flushed(), ElementsAre("SELECT 1 50100us 99.9-150.0"));
  EXPECT_EQ(fixture.builder.counts().at("late_part"), 1U);
}

constexpr const char* kWhole1 =
    "duration: 50.000 ms  plan:\n{\"Query Text\": \"SELECT 1\", \"Plan\": {\"Node Type\": "
    "\"Result\"}}";
constexpr const char* kWhole2 =
    "duration: 20.000 ms  plan:\nQuery Text: SELECT 2\n"
    "Seq Scan on a  (cost=0.00..1.00 rows=1 width=4)";

TEST(PlanLink, ThePlanTravelsBesideItsExecution) {
  const Case cases[] = {
      {"after the execute",
       {{150, "duration: 50.100 ms  execute <unnamed>: SELECT 1"}, {150, kWhole1}},
       {"SELECT 1: Result"}},
      {"before the execute",
       {{100, "duration: 0.500 ms  bind <unnamed>: SELECT 1"},
        {150, kWhole1},
        {150, "duration: 50.100 ms  execute <unnamed>: SELECT 1"}},
       {"SELECT 1: Result"}},
      {"with log_statement",
       {{100, "statement: SELECT 1"}, {150, kWhole1}, {150, "duration: 50.100 ms"}},
       {"SELECT 1: Result"}},
      {"simple protocol",
       {{150, kWhole1}, {150, "duration: 50.100 ms  statement: SELECT 1"}},
       {"SELECT 1: Result"}},
      {"nested before, own after the execute",
       {{100, "duration: 0.500 ms  bind <unnamed>: SELECT 1"},
        {140, kWhole2},
        {150, "duration: 50.100 ms  execute <unnamed>: SELECT 1"},
        {150, kWhole1}},
       {"SELECT 2 in SELECT 1: Seq Scan on a", "SELECT 1: Result"}},
      {"plans alone, one nested",
       {{140, kWhole2}, {150, kWhole1}, {250, kWhole1}},
       {"SELECT 1: Result", "SELECT 2 in SELECT 1: Seq Scan on a", "SELECT 1: Result"}},
      {"the execution failed: its plan is nobody's",
       {{100, "duration: 0.500 ms  bind <unnamed>: SELECT 1"},
        {140, kWhole2},
        {160, "duration: 0.500 ms  bind <unnamed>: SELECT 1"},
        {170, "duration: 1.100 ms  execute <unnamed>: SELECT 1"}},
       {}},
      {"cut off", {{150, "duration: 50.100 ms  execute <unnamed>: SELECT 1"}, {150, kPlan1}}, {}},
  };
  for (const Case& c : cases) {
    BuilderFixture fixture;
    for (const Line& line : c.lines)
      fixture.log(line.ms, line.message);
    fixture.flushed();
    EXPECT_THAT(fixture.plans, testing::ElementsAreArray(c.expected)) << c.why;
  }
}

TEST(PlanLink, BadPlansAreCountedByReason) {
  BuilderFixture fixture;
  fixture.log(150, kPlan1);
  fixture.log(250, "duration: 1.000 ms  plan:\n<explain>\n<Query-Text>SELECT 1</Query-Text>");
  fixture.log(350, "duration: 1.000 ms  plan:\n{\"Query Text\": \"SELECT 1\", nonsense}");
  fixture.flushed();
  EXPECT_EQ(fixture.builder.counts().at("plan_cut_off"), 1U);
  EXPECT_EQ(fixture.builder.counts().at("plan_format"), 1U);
  EXPECT_EQ(fixture.builder.counts().at("plan_not_json"), 1U);
}

TEST(PlanLink, StatementsNestedInOneRunAreBounded) {
  BuilderFixture fixture;
  fixture.log(100, "duration: 0.500 ms  bind <unnamed>: SELECT 1");
  for (int i = 0; i < 100; ++i)
    fixture.log(140, kWhole2);
  fixture.log(200, "duration: 150.100 ms  execute <unnamed>: SELECT 1");
  fixture.flushed();
  EXPECT_EQ(fixture.plans.size(), 8U);
}

}  // namespace
}  // namespace ectoscope
