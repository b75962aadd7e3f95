#include "findings/finding_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

std::string summarize(const Finding& finding) {
  return std::to_string(finding.occurrences) + " times";
}

const DetectorEntry kRead = {"n_plus_one_read", "N+1 reads", Occurrence::kTrace, {},
                             nullptr,           summarize};
const DetectorEntry kRedundant = {"redundant_query", "Redundant", Occurrence::kTrace, {},
                                  nullptr,           nullptr};
const DetectorEntry kSlow = {"slow_query", "Slow query", Occurrence::kExecution,
                             {},           nullptr,      nullptr};

EventTime at(int64_t ms) {
  return EventTime(Micros(ms * 1000));
}

class FindingBookTest : public testing::Test {
 protected:
  FindingBookTest() {
    users_ = add_query("select from users", "users");
    posts_ = add_query("select from posts", "posts");
    orders_ = add_query("select from orders", "orders");
  }

  QueryId add_query(const std::string& canonical, const std::string& table) {
    Query query;
    query.canonical = query.text = canonical;
    query.fingerprint = 0xABC;
    query.tables = {table};
    query.key_table = table;
    query.key_column = "id";
    Predicate other{table, "state", "=", 2, false, false, false};
    Predicate key{table, "id", "=", 1, false, false, false};
    query.predicates = {other, key};
    return queries_.add(std::move(query));
  }

  Trace trace(uint64_t number, bool closed = true) const {
    Trace trace;
    trace.number = number;
    trace.id = {0, number};
    trace.grouped_by = GroupedBy::kTraceparent;
    trace.closed = closed;
    trace.executions = executions_;
    return trace;
  }

  Observation seen(QueryId query, QueryId parent, uint64_t repeats = 10) const {
    Observation observation;
    observation.query = query;
    observation.parent = parent;
    observation.repeats = repeats;
    observation.statements = repeats;
    observation.leading = 1;
    observation.excess_statements = repeats - 1;
    observation.database_time = Micros(static_cast<int64_t>(repeats) * 100);
    observation.saved = Micros(static_cast<int64_t>(repeats) * 90);
    observation.started_at = at(100);
    observation.ended_at = at(200);
    return observation;
  }

  void add(FindingBook& book, const DetectorEntry& entry, const Observation& observation,
           const Trace& trace) const {
    book.add(entry, observation, {&trace, nullptr, stream_, "PostController.index"});
  }

  QueryTable queries_{100};
  QueryId users_ = 0;
  QueryId posts_ = 0;
  QueryId orders_ = 0;
  std::vector<Execution> executions_;
  Stream stream_{"main", "shop", "postgres", "web", "10.0.0.1"};
};

TEST_F(FindingBookTest, GathersOneFindingPerProblem) {
  FindingBook book(queries_);
  for (uint64_t number = 1; number <= 3; ++number)
    add(book, kRead, seen(posts_, users_), trace(number));
  add(book, kRead, seen(posts_, orders_, 4), trace(4));
  add(book, kRead, seen(orders_, users_, 3), trace(5));
  add(book, kRedundant, seen(posts_, users_, 2), trace(6));
  stream_.database = "blog";
  add(book, kRead, seen(posts_, users_, 1), trace(7));

  const std::vector<Finding> findings = book.findings();
  ASSERT_THAT(findings, SizeIs(5));
  const Finding& first = findings[0];
  EXPECT_EQ(first.kind, "n_plus_one_read");
  EXPECT_EQ(first.occurrences, 3U);
  EXPECT_EQ(first.statements, 30U) << "no parents";
  EXPECT_EQ(first.excess_statements, 27U);
  EXPECT_EQ(first.database_time, Micros(3000));
  EXPECT_EQ(first.saved, Micros(2700));
  EXPECT_EQ(first.summary, "3 times");
  EXPECT_EQ(first.query.text, "select from posts");
  EXPECT_EQ(first.query.fingerprint, "0000000000000abc");
  EXPECT_EQ(first.parent_query->text, "select from users");
  EXPECT_THAT(first.tables, ElementsAre("posts"));
  EXPECT_THAT(first.columns, ElementsAre("posts.id", "posts.state")) << "the key comes first";
  EXPECT_THAT(first.applications, ElementsAre("web"));
  EXPECT_THAT(first.routes, ElementsAre(Pair("PostController.index", 3U)));
  EXPECT_TRUE(first.id.starts_with("n_plus_one_read-"));
  EXPECT_EQ(findings[3].summary, "Redundant") << "without summarize() the title";
}

TEST_F(FindingBookTest, ApplicationsShareAFinding) {
  FindingBook book(queries_);
  add(book, kRead, seen(posts_, users_), trace(1));
  stream_.application = "api";
  stream_.user = "other";
  add(book, kRead, seen(posts_, users_), trace(2));
  ASSERT_THAT(book.findings(), SizeIs(1));
  EXPECT_THAT(book.findings()[0].applications, ElementsAre("api", "web"));
}

TEST_F(FindingBookTest, ShapesWithOneCanonicalTextShareAFinding) {
  const QueryId alias = add_query("select from posts", "posts");
  FindingBook book(queries_);
  add(book, kRead, seen(posts_, users_), trace(1));
  add(book, kRead, seen(alias, users_), trace(2));
  ASSERT_THAT(book.findings(), SizeIs(1));
  EXPECT_EQ(book.findings()[0].occurrences, 2U);
}

TEST_F(FindingBookTest, ALaterJudgementOfATraceReplacesTheEarlier) {
  FindingBook book(queries_);
  const Trace early = trace(1, false);
  const Trace late = trace(1, true);
  add(book, kRead, seen(posts_, users_, 10), early);
  EXPECT_EQ(book.findings()[0].excess_statements, 9U) << "an open trace's finding is shown";
  add(book, kRead, seen(posts_, users_, 30), late);
  ASSERT_THAT(book.findings(), SizeIs(1));
  EXPECT_EQ(book.findings()[0].occurrences, 1U);
  EXPECT_EQ(book.findings()[0].excess_statements, 29U);
}

TEST_F(FindingBookTest, ALaterJudgementMayNameAnotherParent) {
  FindingBook book(queries_);
  add(book, kRead, seen(posts_, users_), trace(1, false));
  add(book, kRead, seen(posts_, orders_), trace(1, true));
  ASSERT_THAT(book.findings(), SizeIs(1));
  EXPECT_EQ(book.findings()[0].parent_query->text, "select from orders");
}

TEST_F(FindingBookTest, WhatALaterJudgementNoLongerSeesIsWithdrawn) {
  FindingBook book(queries_);
  book.begin_judgement(trace(1, false));
  add(book, kRead, seen(posts_, users_), trace(1, false));
  add(book, kRedundant, seen(posts_, users_), trace(1, false));
  book.begin_judgement(trace(1, true));
  add(book, kRedundant, seen(posts_, users_), trace(1, true));
  book.begin_judgement(trace(2, true));
  ASSERT_THAT(book.findings(), SizeIs(1));
  EXPECT_EQ(book.findings()[0].kind, "redundant_query");
}

TEST_F(FindingBookTest, ATraceCountsOnceUnderOneKindAndChild) {
  FindingBook book(queries_);
  book.begin_judgement(trace(1));
  add(book, kRead, seen(posts_, users_, 30), trace(1));
  add(book, kRead, seen(posts_, orders_, 5), trace(1));
  book.begin_judgement(trace(2));
  ASSERT_THAT(book.findings(), SizeIs(1));
  EXPECT_EQ(book.findings()[0].parent_query->text, "select from users")
      << "the one that repeats more";
}

TEST_F(FindingBookTest, TracesThatInterleaveKeepTheirOwn) {
  FindingBook book(queries_);
  add(book, kRead, seen(posts_, users_, 5), trace(1, false));
  add(book, kRead, seen(posts_, users_, 6), trace(2, false));
  add(book, kRead, seen(posts_, users_, 7), trace(1, true));
  add(book, kRead, seen(posts_, users_, 8), trace(2, true));
  ASSERT_THAT(book.findings(), SizeIs(1));
  EXPECT_EQ(book.findings()[0].occurrences, 2U);
  EXPECT_EQ(book.findings()[0].excess_statements, 6U + 7U);
}

TEST_F(FindingBookTest, KeepsTheWorstExamplesAndCountsTheRest) {
  FindingBook book(queries_, {.examples = 2});
  const uint64_t repeats[] = {7, 30, 9, 12, 8, 30};
  for (uint64_t number = 0; number < 6; ++number)
    add(book, kRead, seen(posts_, users_, repeats[number]), trace(number + 1));
  const Finding finding = book.findings()[0];
  ASSERT_THAT(finding.examples, SizeIs(2));
  EXPECT_EQ(finding.examples[0].trace_id.low, 2U);
  EXPECT_EQ(finding.examples[1].trace_id.low, 6U) << "equal ones by trace id";
  EXPECT_EQ(finding.examples_left_out, 4U);
  EXPECT_EQ(finding.examples[0].duration, Micros(100'000));
}

TEST_F(FindingBookTest, ATraceIdIsShownOnlyWhereItGroupedTheTrace) {
  FindingBook book(queries_);
  Trace chain = trace(1);
  chain.grouped_by = GroupedBy::kChain;
  add(book, kRead, seen(posts_, users_), chain);
  EXPECT_FALSE(book.findings()[0].examples[0].trace_id.known());
  EXPECT_EQ(book.findings()[0].examples[0].grouped_by, GroupedBy::kChain);
}

TEST_F(FindingBookTest, SeverityIsTheWorstConfidenceTheMean) {
  FindingBook book(queries_);
  Observation mild = seen(posts_, users_);
  mild.confidence = 0.5;
  mild.severity = Severity::kInfo;
  mild.evidence = {{"repeats", 10}, {"max_gap_ms", 5}, {"min_gap_ms", 5}, {"total_rows", 5}};
  Observation bad = seen(posts_, users_);
  bad.confidence = 1.0;
  bad.severity = Severity::kCritical;
  bad.evidence = {{"repeats", 30}, {"max_gap_ms", 9}, {"min_gap_ms", 9}, {"total_rows", 9}};
  bad.started_at = at(50);
  bad.ended_at = at(900);
  add(book, kRead, mild, trace(1));
  add(book, kRead, bad, trace(2));
  const Finding finding = book.findings()[0];
  EXPECT_EQ(finding.severity, Severity::kCritical);
  EXPECT_DOUBLE_EQ(finding.confidence, 0.75);
  EXPECT_THAT(finding.evidence, ElementsAre(Pair("max_gap_ms", 9), Pair("min_gap_ms", 5),
                                            Pair("repeats", 20), Pair("total_rows", 14)));
  EXPECT_EQ(finding.first_seen, at(50));
  EXPECT_EQ(finding.last_seen, at(900));
}

TEST_F(FindingBookTest, TheTimelineIsTheWorstExamplesAndBounded) {
  const auto run = [&](QueryId query, int64_t from_ms, int64_t to_ms) {
    Execution execution;
    execution.query = query;
    execution.started_at = at(from_ms);
    execution.ended_at = at(to_ms);
    execution.duration = Micros((to_ms - from_ms) * 1000);
    executions_.push_back(execution);
  };
  run(orders_, 50, 60);  // before the example
  run(users_, 100, 110);
  run(posts_, 120, 125);
  run(posts_, 130, 140);
  run(posts_, 190, 200);
  run(orders_, 195, 300);  // ends behind it
  FindingBook book(queries_, {.timeline = 3});
  add(book, kRead, seen(posts_, users_, 10), trace(1));
  executions_.clear();
  add(book, kRead, seen(posts_, users_, 4), trace(2));
  const std::vector<TimelineStep> timeline = book.findings()[0].timeline;
  ASSERT_THAT(timeline, SizeIs(3));
  EXPECT_EQ(timeline[0].query, users_);
  EXPECT_EQ(timeline[0].offset, Micros(0));
  EXPECT_EQ(timeline[1].offset, Micros(20'000));
  EXPECT_EQ(timeline[1].duration, Micros(5'000));
}

TEST_F(FindingBookTest, ExecutionsCountEachAndTellTheirPercentiles) {
  FindingBook book(queries_);
  for (int i = 1; i <= 100; ++i) {
    Observation slow = seen(posts_, kNoQuery, 1);
    slow.database_time = Micros(i * 10'000);
    Execution execution;
    execution.pid = 7;
    execution.duration = slow.database_time;
    execution.trace_id = {1, static_cast<uint64_t>(i)};
    execution.flags = i == 100 ? Execution::kNamed : 0;
    book.add(kSlow, slow, {nullptr, &execution, stream_, ""});
  }
  const Finding finding = book.findings()[0];
  EXPECT_EQ(finding.occurrences, 100U);
  EXPECT_FALSE(finding.parent_query.has_value());
  EXPECT_NEAR(finding.evidence.at("p50_ms"), 500, 10);
  EXPECT_NEAR(finding.evidence.at("p95_ms"), 950, 20);
  EXPECT_DOUBLE_EQ(finding.evidence.at("max_ms"), 1000);
  EXPECT_THAT(finding.examples[0].pids, ElementsAre(7));
  EXPECT_EQ(finding.examples[0].statements, 1U);
  EXPECT_FALSE(finding.examples[0].trace_id.known()) << "a prepared statement's comment is stale";
  EXPECT_EQ(finding.examples[1].trace_id.low, 99U);
  EXPECT_THAT(finding.routes, IsEmpty());
}

TEST_F(FindingBookTest, WhatCameToLightLaterIsTheSameOccurrence) {
  FindingBook book(queries_);
  for (const int32_t pid : {11, 12}) {
    Execution execution;
    execution.pid = pid;
    execution.started_at = at(100);
    execution.ended_at = at(200);
    execution.duration = Micros(100'000);
    Observation observation = seen(posts_, kNoQuery, 1);
    observation.evidence["rows_returned"] = 5'000;
    book.add(kSlow, observation, {nullptr, &execution, stream_, ""});
  }
  book.take_changes();
  book.amend(kSlow, {posts_, at(100), 12, at(900), "connection_held_ms", 700}, stream_);
  book.amend(kSlow, {users_, at(100), 12, at(900), "connection_held_ms", 700}, stream_);

  ASSERT_THAT(book.take_changes(), SizeIs(1));
  const std::vector<Finding> findings = book.findings();
  ASSERT_THAT(findings, SizeIs(1)) << "of a finding that there is not it says nothing";
  EXPECT_EQ(findings[0].occurrences, 2U);
  EXPECT_EQ(findings[0].last_seen, at(900));
  EXPECT_EQ(findings[0].evidence.at("connection_held_ms"), 700);
  ASSERT_THAT(findings[0].examples, SizeIs(2));
  for (const Example& example : findings[0].examples) {
    EXPECT_EQ(example.ended_at, at(example.pids[0] == 12 ? 900 : 200));
    EXPECT_EQ(example.duration, Micros(100'000)) << "the execution's own";
  }
}

TEST_F(FindingBookTest, CostliestFirstThenById) {
  FindingBook book(queries_);
  add(book, kRead, seen(posts_, users_, 5), trace(1));
  add(book, kRead, seen(orders_, users_, 50), trace(2));
  add(book, kRedundant, seen(posts_, users_, 5), trace(3));
  const std::vector<Finding> findings = book.findings();
  ASSERT_THAT(findings, SizeIs(3));
  EXPECT_EQ(findings[0].query_id, orders_);
  EXPECT_LT(findings[1].id, findings[2].id);
}

TEST_F(FindingBookTest, IsBounded) {
  FindingBook book(queries_, {.findings = 1, .open_traces = 3});
  add(book, kRead, seen(posts_, users_), trace(1));
  add(book, kRead, seen(orders_, users_), trace(2));
  EXPECT_EQ(book.dropped(), 1U);
  for (uint64_t number = 3; number < 13; ++number)
    add(book, kRead, seen(posts_, users_), trace(number, false));
  ASSERT_THAT(book.findings(), SizeIs(1));
  EXPECT_EQ(book.findings()[0].occurrences, 11U);
}

TEST_F(FindingBookTest, AsksItsHooks) {
  FindingHooks hooks;
  hooks.advise = [](const AdviceRequest& request, const std::string& /*database*/) {
    Fix fix;
    fix.advice = std::to_string(static_cast<int>(request.remedy)) + request.query->text +
                 request.parent->text;
    return fix;
  };
  hooks.queryid = [](QueryId id, const std::string& /*database*/) {
    return std::optional<int64_t>(-static_cast<int64_t>(id));
  };
  FindingBook book(queries_, {}, hooks);
  Observation observation = seen(posts_, users_);
  observation.remedy = Remedy::kPreload;
  add(book, kRead, observation, trace(1));
  EXPECT_EQ(book.findings()[0].fix.advice, "1select from postsselect from users");
  EXPECT_EQ(book.findings()[0].query.queryid, -static_cast<int64_t>(posts_));
}

}  // namespace
}  // namespace ectoscope
