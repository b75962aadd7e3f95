// Plans in, trees out.
#include "parsers/plan_reader.h"

#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "tests/golden.h"
#include "tests/parsers/plan_dump.h"

namespace ectoscope {
namespace {

PlanReading read(std::string_view text) {
  return read_plan(text, Micros(50'000));
}

TEST(PlanReader, ReadsRecordedPlans) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(SOURCE_DIR "/tests/data/parsers/plans")) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  ASSERT_GE(files.size(), 20U);
  std::string all;
  for (const auto& file : files) {
    const PlanReading reading = read(read_text(file));
    ASSERT_EQ(reading.problem, PlanProblem::kNone) << file;
    all += "== " + file.filename().string() + ": " + dump(*reading.plan) + "\n";
  }
  expect_golden("parsers/plans.golden", all);
}

/// One condition in a plan of each format.
std::string json_plan(const std::string& fields) {
  return "{\"Query Text\": \"SELECT 1\", \"Plan\": {\"Node Type\": \"Seq Scan\", " + fields +
         "\"Startup Cost\": 0.5, \"Total Cost\": 12.25, \"Plan Rows\": 3, \"Plan Width\": 8}}";
}

TEST(PlanReader, BadPlansAreToldApart) {
  std::string deep = "{\"Query Text\": \"SELECT 1\", \"Plan\": ";
  std::string deep_text = "Query Text: SELECT 1\nResult  (cost=0.00..1.00 rows=1 width=4)\n";
  for (size_t i = 0; i < 1001; ++i) {
    deep += "{\"Node Type\": \"Result\", \"Plans\": [";
    deep_text += std::string(2 + 6 * i, ' ') + "->  Result  (cost=0.00..1.00 rows=1 width=4)\n";
  }
  const struct {
    const char* why;
    std::string text;
    PlanProblem problem;
  } cases[] = {
      {"whole", json_plan(""), PlanProblem::kNone},
      {"cut in a key", json_plan("").substr(0, 60), PlanProblem::kCutOff},
      {"cut before the end", json_plan("").substr(0, json_plan("").size() - 1),
       PlanProblem::kCutOff},
      {"cut in a string", "{\"Query Text\": \"SELECT", PlanProblem::kCutOff},
      {"nothing", " \n", PlanProblem::kCutOff},
      {"no tree", "{\"Query Text\": \"SELECT 1\"}", PlanProblem::kNotJson},
      {"no JSON", "{\"Query Text\": \"SELECT 1\" \"Plan\"}", PlanProblem::kNotJson},
      {"a word", "{\"Query Text\": nonsense}", PlanProblem::kNotJson},
      {"a value without its key", "{[1]}", PlanProblem::kNotJson},
      {"deep JSON", deep, PlanProblem::kTooDeep},
      {"deep text", deep_text, PlanProblem::kTooDeep},
      {"YAML", "Query Text: \"SELECT 1\"\nPlan: \n  Node Type: \"Result\"", PlanProblem::kFormat},
      {"XML", "<explain><Query-Text>SELECT 1</Query-Text></explain>", PlanProblem::kFormat},
      {"text cut in the statement", "Query Text: SELECT 1", PlanProblem::kCutOff},
      {"text cut in the costs", "Query Text: SELECT 1\nResult  (cost=0.00..1.0",
       PlanProblem::kCutOff},
      {"text with a node that has no name",
       "Query Text: SELECT 1\nResult  (cost=0.00..1.00 rows=1 width=4)\n  ->  (cost=0.00..1.00)",
       PlanProblem::kCutOff},
      {"text cut in a literal",
       "Query Text: SELECT 1\nResult  (cost=0.00..1.00 rows=1 width=4)\n  Filter: (a = 'x",
       PlanProblem::kCutOff},
  };
  for (const auto& c : cases) {
    const PlanReading reading = read(c.text);
    EXPECT_EQ(name_of(reading.problem), name_of(c.problem)) << c.why;
    EXPECT_EQ(reading.plan == nullptr, c.problem != PlanProblem::kNone) << c.why;
  }
}

TEST(PlanReader, EstimatesOnly) {
  const PlanReading reading = read(json_plan("\"Relation Name\": \"a\", \"Filter\": \"(b = 1)\","));
  EXPECT_EQ(dump(*reading.plan),
            "custom, estimates only\n"
            "Seq Scan on a  (cost 0.5..12.25 rows 3)\n"
            "    filter: (b = ?)\n"
            "      . b = literal\n");
}

TEST(PlanReader, TriggersOfBothFormats) {
  const PlanReading json = read(
      "{\"Plan\": {\"Node Type\": \"ModifyTable\", \"Operation\": \"Delete\"}, \"Triggers\": ["
      "{\"Trigger Name\": \"RI_ConstraintTrigger_a_1\", \"Constraint Name\": \"b_a_id_fkey\", "
      "\"Relation\": \"a\", \"Time\": 12.5, \"Calls\": 2}, {}]}");
  ASSERT_EQ(json.problem, PlanProblem::kNone);
  EXPECT_EQ(dump(*json.plan),
            "no values, estimates only\nDelete  (cost 0..0 rows 0)\n"
            "trigger RI_ConstraintTrigger_a_1 constraint b_a_id_fkey on a: 12.5 ms, 2 calls\n");
  const PlanReading text = read(
      "Query Text: DELETE FROM a\n"
      "Delete on a  (cost=0.00..1.00 rows=0 width=0) (actual rows=0 loops=1)\n"
      "Trigger for constraint b_a_id_fkey on a: time=12.500 calls=2\n"
      "Trigger audit on a: calls=1\n"
      "JIT:\n  Functions: 4\n");
  ASSERT_EQ(text.problem, PlanProblem::kNone);
  ASSERT_EQ(text.plan->triggers.size(), 2U);
  EXPECT_EQ(text.plan->triggers[0].constraint, "b_a_id_fkey");
  EXPECT_EQ(text.plan->triggers[0].time_ms, 12.5);
  EXPECT_EQ(text.plan->triggers[1].name, "audit");
  EXPECT_EQ(text.plan->triggers[1].relation, "a");
}

TEST(PlanReader, GenericIsWhatHasAnotherParameterThanItsOwnSubplans) {
  constexpr const char* kInitPlan =
      "\"Plans\": [{\"Node Type\": \"Result\", \"Subplan Name\": \"InitPlan 2 (returns $1)\"}],";
  EXPECT_EQ(read(json_plan("\"Filter\": \"(a = $1)\",")).plan->values, PlanValues::kGeneric);
  EXPECT_EQ(read(json_plan(std::string(kInitPlan) + "\"Filter\": \"(a = $1)\",")).plan->values,
            PlanValues::kNone);
  EXPECT_EQ(read(json_plan(std::string(kInitPlan) + "\"Filter\": \"((a = $1) AND (b = $2))\","))
                .plan->values,
            PlanValues::kGeneric);
  EXPECT_EQ(read(json_plan("\"Filter\": \"(a = 1)\",")).plan->values, PlanValues::kCustom);
}

TEST(PlanReader, LargePlansAreBounded) {
  std::string many = "{\"Plan\": {\"Node Type\": \"Append\", \"Plans\": [";
  for (size_t i = 0; i < 600; ++i) {
    many += std::string(i > 0 ? "," : "") + "{\"Node Type\": \"Seq Scan\", \"Filter\": \"(a = '" +
            std::string(3000, 'x') + "')\"" + ", \"Sort Key\": [\"" + std::string(3000, 'k') +
            "\"]}";
  }
  const PlanReading reading = read(many + "]}}");
  ASSERT_EQ(reading.problem, PlanProblem::kNone);
  EXPECT_EQ(reading.plan->nodes.size(), PlanLimits::kNodes);
  EXPECT_EQ(reading.plan->nodes_left_out, 101U);
  size_t bytes = 0;
  for (const PlanNode& node : reading.plan->nodes) {
    bytes += node.filter.text.size();
    for (const std::string& key : node.sort_key)
      bytes += key.size();
  }
  EXPECT_LE(bytes, PlanLimits::kAllText + PlanLimits::kText);
}

TEST(PlanReader, AMegabyteOfLiteralIsOneQuestionMark) {
  const std::string big(1 << 20, 'x');
  const PlanReading reading = read(json_plan("\"Filter\": \"(a = '" + big + "'::text)\","));
  ASSERT_NE(reading.plan, nullptr);
  EXPECT_EQ(reading.plan->root().filter.text, "(a = ?::text)");
}

TEST(PlanReader, NoLiteralIsLeft) {
  const std::string secret = "4929123456789012";
  const std::string conditions[] = {
      "(a = 'S'::text)",
      "(a = S)",
      "(a = E'it\\\\'s S')",
      "(a = 'S",
      "((a ->> 'S'::text) = 1)",
      "(\"S",
      "(a = ANY ('{S,S}'::bigint[]))",
      "(a = 'x''S')",
      "(f(a, S) OR b)",
      "(a = 'one\nS two'::text)",
      "(a ~~ '%S'::text)",
      "(a = true) (= S)",
  };
  for (std::string condition : conditions) {
    for (size_t at = condition.find('S'); at != std::string::npos;
         at = condition.find('S', at + secret.size())) {
      condition.replace(at, 1, secret);
    }
    std::string escaped;
    for (const char c : condition)
      escaped += c == '"' ? "\\\"" : c == '\n' ? "\\n" : std::string(1, c);
    const PlanReading json = read(
        json_plan("\"Index Cond\": \"" + escaped + "\", \"Sort Key\": [\"" + escaped + "\"],"));
    ASSERT_NE(json.plan, nullptr) << condition;
    EXPECT_EQ(dump(*json.plan).find(secret), std::string::npos) << dump(*json.plan);
    const PlanReading text = read(
        "Query Text: SELECT 1\n"
        "Seq Scan on a  (cost=0.00..1.00 rows=1 width=4)\n  Filter: " +
        condition + "\n  Rows Removed by Filter: 3\n");
    if (text.plan != nullptr) {
      EXPECT_EQ(dump(*text.plan).find(secret), std::string::npos) << dump(*text.plan);
    }
  }
}

TEST(PlanReader, ALiteralThatLooksLikeATreeIsNone) {
  const PlanReading reading = read(
      "Query Text: SELECT 'a\nSeq Scan on secret  (cost=0.00..1.00 rows=1 width=4)\n'\n"
      "Result  (cost=0.00..0.01 rows=1 width=32)\n"
      "  Filter: (a = 'b\n  ->  Seq Scan on secret  (cost=0.00..1.00 rows=1 width=4)'::text)\n");
  ASSERT_NE(reading.plan, nullptr);
  EXPECT_EQ(dump(*reading.plan).find("secret"), std::string::npos) << dump(*reading.plan);
  EXPECT_EQ(reading.plan->nodes.size(), 1U);
}

}  // namespace
}  // namespace ectoscope
