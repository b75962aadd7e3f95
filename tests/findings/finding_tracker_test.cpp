#include "findings/finding_tracker.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Micros kSecond{1'000'000};
constexpr Micros kHour = 3600 * kSecond;

const DetectorEntry kRead = {"n_plus_one_read", "N+1 reads", Occurrence::kTrace, {},
                             nullptr,           nullptr};
const DetectorEntry kSlow = {"slow_query", "Slow query", Occurrence::kExecution,
                             {},           nullptr,      nullptr};

/// A server's books, as one process has them.
struct Process {
  explicit Process(FindingLimits limits = {}) : book(queries, limits) {
    users = add_query("users");
    posts = add_query("posts");
    shop = statements.database("shop");
    book.watch(
        {[this](const std::string& id, const Occurred& occurred) { tracker.counted(id, occurred); },
         [this] { return tracker.make_room(); }});
  }

  QueryId add_query(const std::string& table) {
    Query query;
    query.canonical = query.text = "SELECT " + table;
    query.tables = {table};
    return queries.add(std::move(query));
  }

  /// Ten reads of `child` after one of `parent`, in a trace that ended just now.
  void loop(uint64_t number, QueryId child, bool closed = true) {
    Trace trace;
    trace.number = number;
    trace.id = {0, number};
    trace.grouped_by = GroupedBy::kTraceparent;
    trace.closed = closed;
    Observation seen;
    seen.query = child;
    seen.parent = users;
    seen.repeats = 10;
    seen.statements = 11;
    seen.excess_statements = 9;
    seen.database_time = Micros(1000);
    seen.saved = Micros(900);
    seen.started_at = now - kSecond;
    seen.ended_at = now;
    book.begin_judgement(trace);
    book.add(kRead, seen, {&trace, nullptr, stream, ""});
    if (closed) book.settle_closed();
  }

  void runs(QueryId query, uint64_t times) { statements.add(shop, query, Micros(100), times); }

  /// At `later` than the last time.
  const std::vector<std::shared_ptr<const TrackedFinding>>& look(Micros later = Micros(0)) {
    now += later;
    tracker.update(now, now + behind);
    return shown = tracker.findings();
  }

  QueryTable queries{100};
  StatementBook statements{"main", queries};
  FindingBook book;
  FindingTracker tracker{book, statements, queries, {60 * kSecond, 24 * 30 * kHour}};
  QueryId users = 0;
  QueryId posts = 0;
  uint32_t shop = 0;
  Stream stream{"main", "shop", "postgres", "web", ""};
  EventTime now{Micros(490'000 * kHour)};
  Micros behind{0};  // the log, of the wall
  std::vector<std::shared_ptr<const TrackedFinding>> shown;
};

TEST(FindingTracker, ATraceThatIsJudgedTwiceCountsOnce) {
  Process process;
  process.loop(1, process.posts, false);
  ASSERT_THAT(process.look(), SizeIs(1)) << "a second after it fell quiet";
  EXPECT_EQ(process.shown[0]->finding.occurrences, 1U);
  EXPECT_EQ(process.shown[0]->finding.statements, 11U);
  EXPECT_THAT(process.tracker.occurrences(), IsEmpty()) << "counters only go up: not yet";
  EXPECT_EQ(process.tracker.excess_statements(), 0U);
  process.loop(1, process.posts, true);
  ASSERT_THAT(process.look(30 * kSecond), SizeIs(1));
  EXPECT_EQ(process.shown[0]->finding.occurrences, 1U);
  EXPECT_EQ(process.shown[0]->total_occurrences, 1U);
  EXPECT_EQ(process.shown[0]->finding.statements, 11U);
  EXPECT_THAT(process.tracker.occurrences(),
              ElementsAre(::testing::Pair(::testing::Pair("shop", "n_plus_one_read"), 1U)));
  EXPECT_EQ(process.tracker.excess_statements(), 9U);
  EXPECT_EQ(process.tracker.excess(), Micros(900));
}

TEST(FindingTracker, OnlyAFreshFindingIsLive) {
  Process process;
  process.behind = 61 * kSecond;
  process.loop(1, process.posts);
  ASSERT_THAT(process.look(), SizeIs(1));
  EXPECT_TRUE(process.shown[0]->active);
  EXPECT_FALSE(process.shown[0]->live) << "caught up, not seen as it happened";
  process.behind = 60 * kSecond;
  process.now += kSecond;
  process.loop(2, process.posts);
  EXPECT_TRUE(process.look().at(0)->live);
}

TEST(FindingTracker, SilenceResolvesNothing) {
  Process process;
  process.runs(process.users, 10);
  process.runs(process.posts, 100);
  process.loop(1, process.posts);
  process.look();
  EXPECT_TRUE(process.look(48 * kHour).at(0)->active);
  EXPECT_FALSE(process.shown[0]->resolved_at.has_value());
}

TEST(FindingTracker, RunningOnWithoutItResolvesAndComingAgainRevives) {
  Process process;
  process.runs(process.users, 10);
  process.runs(process.posts, 100);
  process.loop(1, process.posts);
  process.look();
  process.runs(process.users, 1000);
  process.runs(process.posts, 1000);
  EXPECT_TRUE(process.look(599 * kSecond).at(0)->active) << "not for long enough";
  ASSERT_FALSE(process.look(11 * kSecond).at(0)->active);
  EXPECT_EQ(process.shown[0]->resolved_at, process.now);
  EXPECT_FALSE(process.shown[0]->live);
  process.loop(2, process.posts);
  EXPECT_TRUE(process.look(kSecond).at(0)->active);
  EXPECT_FALSE(process.shown[0]->resolved_at.has_value());
  EXPECT_EQ(process.shown[0]->finding.occurrences, 2U);
}

TEST(FindingTracker, CostCoversADay) {
  Process process;
  process.loop(1, process.posts);
  process.look();
  process.now += 12 * kHour;
  process.loop(2, process.posts);
  EXPECT_EQ(process.look().at(0)->finding.occurrences, 2U);
  StoredServer stored;
  process.tracker.store_changes(stored);  // an hour is let go of when it is stored
  process.look(13 * kHour);
  EXPECT_EQ(process.shown.at(0)->finding.occurrences, 1U);
  EXPECT_EQ(process.shown[0]->finding.statements, 11U);
  EXPECT_EQ(process.shown[0]->total_occurrences, 2U);
}

TEST(FindingTracker, WhatWasNotSeenForTooLongIsForgotten) {
  Process process;
  process.loop(1, process.posts);
  process.look();
  StoredServer stored;
  process.tracker.store_changes(stored);
  ASSERT_THAT(stored.findings, SizeIs(1));
  const std::string id = stored.findings[0].id;
  EXPECT_THAT(process.look(24 * 30 * kHour - kSecond), SizeIs(1));
  EXPECT_THAT(process.look(11 * kSecond), IsEmpty());
  StoredServer later;
  process.tracker.store_changes(later);
  EXPECT_THAT(later.forgotten, ElementsAre(id));
}

TEST(FindingTracker, ResolvedOnesMakeRoomForNewOnes) {
  FindingLimits limits;
  limits.findings = 1;
  Process process(limits);
  const QueryId tags = process.add_query("tags");
  process.runs(process.posts, 100);
  process.loop(1, process.posts);
  process.look();
  process.loop(2, tags);
  EXPECT_EQ(process.book.dropped(), 1U) << "it is still there";
  process.runs(process.posts, 1000);
  process.look(611 * kSecond);
  process.loop(3, tags);
  ASSERT_THAT(process.look(), SizeIs(1));
  EXPECT_THAT(process.shown[0]->finding.tables, ElementsAre("tags"));
}

TEST(FindingTracker, AnotherProcessGoesOn) {
  Process before;
  before.loop(1, before.posts);
  before.look();
  before.now += 2 * kHour;
  before.loop(2, before.posts);
  before.look();
  StoredServer stored;
  before.tracker.acknowledge(before.shown.at(0)->finding.id, {before.now, "ada", "known"});
  before.tracker.store_changes(stored);
  ASSERT_THAT(stored.findings, SizeIs(1));
  EXPECT_THAT(stored.hours, SizeIs(2));
  ASSERT_TRUE(stored.findings[0].acknowledged.has_value());

  Process after;
  const ShapeTexts shapes{{}, [&](const std::string& text) {
                            return text == "SELECT posts"   ? after.posts
                                   : text == "SELECT users" ? after.users
                                                            : kNoQuery;
                          }};
  ASSERT_TRUE(after.tracker.restore(stored.findings[0], kRead, shapes, 5));
  for (const StoredHour& hour : stored.hours)
    after.tracker.restore(hour);
  after.now = before.now;
  ASSERT_THAT(after.look(), SizeIs(1));
  EXPECT_EQ(after.shown[0]->finding.id, before.shown[0]->finding.id);
  EXPECT_EQ(after.shown[0]->finding.occurrences, 2U);
  EXPECT_EQ(after.shown[0]->acknowledged_by, "ada");
  EXPECT_EQ(after.tracker.excess_statements(), 0U) << "counters begin at zero";
  StoredServer unchanged;
  after.tracker.store_changes(unchanged);
  EXPECT_THAT(unchanged.findings, IsEmpty());
  after.tracker.store_all_again();
  after.tracker.store_changes(unchanged);
  EXPECT_THAT(unchanged.findings, SizeIs(1));
  EXPECT_THAT(unchanged.hours, SizeIs(2));
  after.loop(1, after.posts);
  EXPECT_EQ(after.look().at(0)->finding.occurrences, 3U);
}

TEST(FindingTracker, UnreadableTotalsAreNotTakenOver) {
  Process process;
  StoredFinding broken;
  broken.id = "n_plus_one_read-0000000000000000";
  broken.totals = "{";
  EXPECT_FALSE(process.tracker.restore(broken, kRead, {}, 5));
  EXPECT_THAT(process.look(), IsEmpty());
}

TEST(FindingTracker, ExecutionsCountAtOnce) {
  Process process;
  Execution execution;
  execution.query = process.posts;
  execution.started_at = process.now - kSecond;
  execution.ended_at = process.now;
  execution.duration = kSecond;
  Observation seen;
  seen.query = process.posts;
  seen.statements = 1;
  seen.saved = Micros(500);
  seen.started_at = execution.started_at;
  seen.ended_at = execution.ended_at;
  process.book.add(kSlow, seen, {nullptr, &execution, process.stream, ""});
  EXPECT_EQ(process.tracker.excess(), Micros(500));
  EXPECT_THAT(process.look(), SizeIs(1));
}

}  // namespace
}  // namespace ectoscope
