#include "findings/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "findings/baseline.h"
#include "findings/ignore_list.h"
#include "findings/ignored_statements.h"
#include "findings/near_miss_book.h"

namespace ectoscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kOne = "n_plus_one_read-0000000000000001";
const std::string kTwo = "slow_query-0000000000000002";

Finding finding(const std::string& id, Severity severity = Severity::kWarning) {
  Finding made;
  made.id = id;
  made.kind = id.substr(0, id.rfind('-'));
  made.severity = severity;
  made.database = "shop";
  made.query.summary = "SELECT posts";
  made.query.fingerprint = "00000000000000aa";
  made.summary = "12 requests ran SELECT posts 100 times";
  made.tables = {"posts", "users"};
  made.routes = {{"PostController.index", 3}, {"PostController.show", 1}};
  return made;
}

AnalysisReport report(std::vector<Finding> findings) {
  AnalysisReport made;
  made.input.records = 10;
  made.input.statements = 10;
  made.input.fidelity.statements = InputFidelity::Statements::kAll;
  made.findings = std::move(findings);
  return made;
}

EventTime day(int number) {
  return EventTime(std::chrono::days(number));
}

TEST(Gate, FailsOnItsSeverityAndWorse) {
  const AnalysisReport found = report({finding(kOne, Severity::kWarning)});
  EXPECT_FALSE(judge_gate(found, Severity::kInfo, nullptr).passed);
  EXPECT_FALSE(judge_gate(found, Severity::kWarning, nullptr).passed);
  EXPECT_TRUE(judge_gate(found, Severity::kCritical, nullptr).passed);
  EXPECT_TRUE(judge_gate(report({}), Severity::kInfo, nullptr).passed);
}

TEST(Gate, LetsTheBaselinePassAndTellsWhatIsGone) {
  const AnalysisReport found = report({finding(kOne), finding(kTwo)});
  const Baseline baseline{{{kOne, "SELECT posts"}, {"gone-0000000000000003", "SELECT users"}}};
  const Gate gate = judge_gate(found, Severity::kWarning, &baseline);
  EXPECT_FALSE(gate.passed);
  EXPECT_THAT(gate.failing, ElementsAre(kTwo));
  EXPECT_THAT(gate.known, ElementsAre(kOne));
  ASSERT_EQ(gate.gone.size(), 1U);
  EXPECT_EQ(gate.gone[0].summary, "SELECT users");
  EXPECT_TRUE(judge_gate(report({finding(kOne)}), Severity::kWarning, &baseline).passed);
}

TEST(Gate, WhatWasNotSeenDoesNotPass) {
  struct {
    InputFidelity::Statements seen;
    const char* blind;
  } const cases[] = {{InputFidelity::Statements::kAll, ""},
                     {InputFidelity::Statements::kSampled, "only a sample"},
                     {InputFidelity::Statements::kSlowOnly, "only slow statements"},
                     {InputFidelity::Statements::kNone, "no statements"}};
  for (const auto& one : cases) {
    AnalysisReport clean = report({});
    clean.input.fidelity.statements = one.seen;
    const Gate gate = judge_gate(clean, Severity::kCritical, nullptr);
    EXPECT_EQ(gate.passed, one.seen == InputFidelity::Statements::kAll) << one.blind;
    EXPECT_THAT(gate.blind, HasSubstr(one.blind));
  }
  AnalysisReport empty = report({});
  empty.input.records = 0;
  EXPECT_THAT(judge_gate(empty, Severity::kInfo, nullptr).blind, HasSubstr("empty"));
  AnalysisReport filtered = report({});
  filtered.input.statements = 0;
  EXPECT_THAT(judge_gate(filtered, Severity::kInfo, nullptr).blind, HasSubstr("--since"));
  AnalysisReport full = report({});
  full.input.unparsed["shapes_full"] = 1;
  EXPECT_THAT(judge_gate(full, Severity::kInfo, nullptr).blind, HasSubstr("limits.shapes"));
  AnalysisReport odd = report({});
  odd.input.unparsed["failed_statement"] = 1;
  EXPECT_TRUE(judge_gate(odd, Severity::kInfo, nullptr).passed);
}

TEST(BaselineFile, ReadsBackWhatItWrites) {
  Finding hostile = finding(kTwo);
  hostile.query.summary = "SELECT a\nslow_query-0000000000000009 # \x1b[31m";
  const std::string text = render_baseline(report({hostile, finding(kOne)}));
  EXPECT_THAT(text, HasSubstr(kOne + "  # SELECT posts (database shop)\n" + kTwo));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  const auto read = parse_baseline(text, "b");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value().entries.size(), 2U);
  EXPECT_EQ(read.value().entries.at(kOne), "SELECT posts (database shop)");
}

TEST(BaselineFile, DoesNotChangeWithCounts) {
  Finding often = finding(kOne, Severity::kCritical);
  often.summary = "99 requests ran SELECT posts 7 times";
  often.occurrences = 99;
  EXPECT_EQ(render_baseline(report({finding(kOne)})), render_baseline(report({often})));
}

TEST(BaselineFile, MistakesAreNamedWithTheirPlace) {
  const auto read = parse_baseline("# fine\n\n" + kOne + "\r\n  nonsense here\n{\"a\": 1}\n", "b");
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(read.error().message, HasSubstr("b:4:3: a finding's id is wanted here"));
  EXPECT_THAT(read.error().message, HasSubstr("b:5:1: "));
  EXPECT_THAT(read.error().message, HasSubstr("2 problems; nothing was analyzed."));
  const std::string mebibyte(size_t{1} << 20U, 'a');
  std::string large;
  for (int i = 0; i < 17; ++i)
    large += mebibyte;
  EXPECT_FALSE(parse_baseline(large, "b").ok());
}

IgnoreRule rule(const std::function<void(IgnoreRule&)>& change) {
  IgnoreRule made;
  made.where = "f:1";
  made.reason = "because";
  change(made);
  return made;
}

TEST(IgnoreList, EverySelectorMustFit) {
  struct {
    const char* why;
    IgnoreRule rule;
    bool covers;
  } const cases[] = {
      {"its id", rule([](IgnoreRule& it) { it.id = kOne; }), true},
      {"another id", rule([](IgnoreRule& it) { it.id = kTwo; }), false},
      {"its kind", rule([](IgnoreRule& it) { it.kind = "n_plus_one_read"; }), true},
      {"another kind", rule([](IgnoreRule& it) { it.kind = "slow_query"; }), false},
      {"its table", rule([](IgnoreRule& it) { it.table = "po*"; }), true},
      {"a table that it only joins", rule([](IgnoreRule& it) { it.table = "users"; }), false},
      {"its fingerprint", rule([](IgnoreRule& it) { it.fingerprint = "00000000000000aa"; }), true},
      {"all its routes", rule([](IgnoreRule& it) { it.route = "PostController.*"; }), true},
      {"one of its routes", rule([](IgnoreRule& it) { it.route = "*.index"; }), false},
      {"kind and table",
       rule([](IgnoreRule& it) { it.kind = "n_plus_one_read", it.table = "posts"; }), true},
      {"kind without table",
       rule([](IgnoreRule& it) { it.kind = "n_plus_one_read", it.table = "users"; }), false},
  };
  for (const auto& one : cases) {
    const IgnoreList list({one.rule});
    EXPECT_EQ(list.covering(finding(kOne), day(0)) != nullptr, one.covers) << one.why;
  }
  Finding nowhere = finding(kOne);
  nowhere.routes.clear();
  nowhere.tables.clear();
  EXPECT_EQ(IgnoreList({cases[7].rule}).covering(nowhere, day(0)), nullptr) << "no route is known";
  EXPECT_EQ(IgnoreList({cases[4].rule}).covering(nowhere, day(0)), nullptr) << "no table is known";
}

TEST(IgnoreList, WhatIsIgnoredIsListedAndOldRulesAreTold) {
  const IgnoreList list({rule([](IgnoreRule& it) { it.id = kOne, it.expires = day(10); }),
                         rule([](IgnoreRule& it) { it.kind = "slow_query"; }),
                         rule([](IgnoreRule& it) { it.table = "no_such_table"; })});
  std::vector<Finding> before = {finding(kOne), finding(kTwo)};
  const Ignoring ignoring = list.take_from(before, day(10) - Micros(1));
  EXPECT_THAT(before, IsEmpty());
  ASSERT_EQ(ignoring.findings.size(), 2U);
  EXPECT_EQ(ignoring.findings[0].finding.id, kOne);
  EXPECT_EQ(ignoring.findings[0].rule.id, kOne);
  EXPECT_THAT(ignoring.expired, IsEmpty());
  ASSERT_EQ(ignoring.unused.size(), 1U);
  EXPECT_EQ(ignoring.unused[0].table, "no_such_table");

  std::vector<std::shared_ptr<const TrackedFinding>> tracked;
  for (const std::string& id : {kOne, kTwo}) {
    auto one = std::make_shared<TrackedFinding>();
    one->finding = finding(id);
    tracked.push_back(std::move(one));
  }
  const Ignoring later = list.take_from(tracked, day(10));
  ASSERT_EQ(tracked.size(), 1U);
  EXPECT_EQ(tracked[0]->finding.id, kOne);
  EXPECT_EQ(later.findings.size(), 1U);
  ASSERT_EQ(later.expired.size(), 1U);
}

TEST(IgnoredStatements, AreCountedByShapeUpToABound) {
  QueryTable queries(10);
  Query query;
  query.text = "SELECT a";
  const QueryId a = queries.add(query);
  query.text = "SELECT b";
  const QueryId b = queries.add(query);
  IgnoredStatements counted(2);
  Execution execution;
  execution.duration = Micros(5);
  execution.query = a;
  counted.add(execution, "x");
  execution.query = b;
  counted.add(execution, "x");
  counted.add(execution, "x");
  counted.add(execution, "y");
  Ignoring ignoring;
  counted.fill(queries, ignoring);
  EXPECT_EQ(ignoring.statements, 4U);
  EXPECT_EQ(ignoring.statements_left_out, 1U);
  ASSERT_EQ(ignoring.shapes.size(), 2U);
  EXPECT_EQ(ignoring.shapes[0].query.text, "SELECT b");
  EXPECT_EQ(ignoring.shapes[0].executions, 2U);
  EXPECT_EQ(ignoring.shapes[0].duration, Micros(10));
}

TEST(NearMissBook, KeepsTheNearestOfEach) {
  NearMissBook book(2);
  book.add("slow_query", "x", {1, kNoQuery, "min_duration", 60, 100, "time"});
  book.add("slow_query", "x", {1, kNoQuery, "min_duration", 90, 100, "time"});
  book.add("slow_query", "x", {1, kNoQuery, "min_duration", 50, 100, "time"});
  book.add("slow_query", "x", {2, kNoQuery, "min_duration", 95, 100, "time"});
  book.add("slow_query", "x", {3, kNoQuery, "min_duration", 99, 100, "time"});
  const auto misses = book.misses("slow_query");
  ASSERT_EQ(misses.size(), 2U);
  EXPECT_EQ(misses[0].nearest.query, 2U);
  EXPECT_EQ(misses[1].nearest.value, 90);
  EXPECT_EQ(misses[1].times, 3U);
  EXPECT_EQ(book.dropped(), 1U);
  EXPECT_THAT(book.misses("n_plus_one_read"), IsEmpty());
}

}  // namespace
}  // namespace ectoscope
