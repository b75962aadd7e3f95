#include "traces/incident_linker.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

struct IncidentLinkerTest : ::testing::Test {
  QueryId add(Operation operation, const std::string& table, TransactionVerb verb = {}) {
    Query query;
    query.operation = operation;
    query.transaction = verb;
    if (!table.empty()) query.tables = {table};
    query.text = table;
    return queries.add(query);
  }

  void run(int32_t pid, QueryId query, int64_t from, int64_t to, uint64_t trace = 0) {
    Execution execution;
    execution.pid = pid;
    execution.query = query;
    execution.started_at = EventTime(std::chrono::milliseconds(from));
    execution.ended_at = EventTime(std::chrono::milliseconds(to));
    execution.trace_id = {0, trace};
    execution.flags = flags;
    linker.add({&execution, 1});
  }

  Incident wait(int64_t at, int64_t waited, int32_t pid = 1, int32_t holder = 2) {
    Incident one = say(IncidentKind::kLockWait, at, pid);
    one.waited = std::chrono::milliseconds(waited);
    one.query = change;
    one.add_other({holder, kNoQuery, {}});
    return one;
  }

  static Incident say(IncidentKind kind, int64_t at, int32_t pid = 1) {
    Incident one;
    one.kind = kind;
    one.pid = pid;
    one.session = static_cast<uint64_t>(pid);
    one.at = EventTime(std::chrono::milliseconds(at));
    return one;
  }

  void acquire(int64_t at, int64_t waited, uint64_t position = 0) {
    Incident one = say(IncidentKind::kLockAcquired, at);
    one.position = position;
    one.waited = std::chrono::milliseconds(waited);
    linker.add(one);
  }

  void settle() { linker.advance(EventTime(std::chrono::hours(1))); }

  uint16_t flags = 0;  // of what runs
  QueryTable queries{64};
  QueryId begin = add(Operation::kTransaction, "", TransactionVerb::kBegin);
  QueryId commit = add(Operation::kTransaction, "", TransactionVerb::kCommit);
  QueryId read = add(Operation::kSelect, "products");
  QueryId change = add(Operation::kUpdate, "products");
  QueryId other = add(Operation::kInsert, "audits");
  std::vector<Incident> out;
  IncidentLinker linker{queries, [this](const Incident& incident) { out.push_back(incident); }};
};

TEST_F(IncidentLinkerTest, NamesWhatTheHolderRan) {
  run(2, begin, 0, 1, 0);
  run(2, change, 1, 2, 7);
  run(2, other, 2, 3, 7);
  run(2, read, 3, 4, 7);
  linker.add(wait(1000, 200));
  EXPECT_TRUE(out.empty()) << "its end is not known yet";
  acquire(1500, 700);
  settle();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].others[0].query, change) << "the last one on the table that is waited for";
  EXPECT_EQ(out[0].others[0].trace_id, (TraceId{0, 7}));
  EXPECT_EQ(out[0].waited, std::chrono::milliseconds(700));
  EXPECT_EQ(out[0].at, EventTime(std::chrono::milliseconds(1500)));
}

TEST_F(IncidentLinkerTest, LooksNoFurtherThanTheHoldersTransaction) {
  run(2, begin, 0, 1);
  run(2, change, 1, 2);
  run(2, commit, 2, 3);
  run(2, begin, 4, 5);
  run(2, read, 5, 6);
  linker.add(wait(1000, 200));
  linker.finish();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].others[0].query, read) << "nothing better is known";
}

TEST_F(IncidentLinkerTest, WaitsForAStatementThatIsStillUnderWay) {
  run(2, begin, 0, 1);
  run(2, other, 1, 2);
  linker.add(wait(1000, 200));
  run(2, change, 10, 1400, 9);
  acquire(1400, 600);
  settle();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].others[0].query, change);
  EXPECT_EQ(out[0].others[0].trace_id, (TraceId{0, 9}));
}

// In one format of a log the holder's line comes first, in another the waiter's.
TEST_F(IncidentLinkerTest, WaitsForLinesOfTheMomentInWhichItEnds) {
  run(2, begin, 0, 1);
  linker.add(wait(1000, 200));
  acquire(1400, 600);
  EXPECT_TRUE(out.empty()) << "the holder's statement ended in the same millisecond";
  run(2, change, 10, 1400, 9);
  run(3, read, 1410, 1411);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].others[0].query, change);
  EXPECT_EQ(out[0].waited, std::chrono::milliseconds(600));
}

TEST_F(IncidentLinkerTest, WhatTheHolderRunsLaterIsNotTheCause) {
  run(2, begin, 0, 1);
  run(2, other, 1, 2);
  linker.add(wait(1000, 200));
  run(2, change, 1100, 1200);
  acquire(1400, 600);
  settle();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].others[0].query, other);
}

TEST_F(IncidentLinkerTest, AStaleTraceIdIsNotBelieved) {
  run(2, begin, 0, 1);
  flags = Execution::kNamed;
  run(2, change, 1, 2, 7);
  linker.add(wait(1000, 200));
  linker.finish();
  EXPECT_FALSE(out[0].others[0].trace_id.known());
}

TEST_F(IncidentLinkerTest, ATimeoutEndsTheWaitAndIsToldToo) {
  linker.add(wait(1000, 200));
  linker.add(say(IncidentKind::kLockTimeout, 3000));
  settle();
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].kind, IncidentKind::kLockTimeout);
  EXPECT_EQ(out[1].kind, IncidentKind::kLockWait);
  EXPECT_EQ(out[1].waited, std::chrono::milliseconds(2200));
}

TEST_F(IncidentLinkerTest, FillsInADeadlocksOtherSide) {
  run(2, begin, 0, 1);
  run(2, change, 1, 2, 7);
  Incident one = say(IncidentKind::kDeadlock, 1000);
  one.query = change;
  one.add_other({2, kNoQuery, {}});
  one.add_other({3, read, {}});
  linker.add(one);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].others[0].query, change) << "its text was cut";
  EXPECT_EQ(out[0].others[0].trace_id, (TraceId{0, 7}));
  EXPECT_EQ(out[0].others[1].query, read) << "the log's own word stays";
}

TEST_F(IncidentLinkerTest, EveryWaitIsToldOfOnce) {
  for (int32_t pid = 1; pid <= 5000; ++pid)
    linker.add(wait(1000, 200, pid, 9999));
  acquire(2000, 1200);
  linker.finish();
  EXPECT_EQ(out.size(), 5000U) << "bounded, and none is lost";
  run(1, read, 0, 1);
  linker.add(wait(1000, 200));
  run(1, read, 400'000, 400'001);
  EXPECT_EQ(out.size(), 5001U) << "an end that never came";
}

TEST_F(IncidentLinkerTest, AnEndWithoutABeginningIsNone) {
  acquire(1500, 700);
  linker.finish();
  EXPECT_TRUE(out.empty());
}

TEST_F(IncidentLinkerTest, StaysBoundedInBackends) {
  for (int32_t pid = 1; pid <= 20'000; ++pid)
    run(pid, change, pid, pid + 1);
  linker.add(wait(30'000, 200, 1, 20'000));
  linker.finish();
  EXPECT_EQ(out[0].others[0].query, change) << "the newest are still known";
}

TEST_F(IncidentLinkerTest, TellsWhatItKeepsAndSinceWhenItIsNeeded) {
  run(2, begin, 0, 1);
  run(2, change, 1, 2, 7);
  run(2, read, 500, 501, 7);
  Incident one = wait(1000, 500);
  one.position = 77;
  linker.add(one);
  std::vector<std::pair<uint64_t, EventTime>> kept;
  const auto keep = [&](const Incident& incident, EventTime needed) {
    kept.emplace_back(incident.position, needed);
  };
  linker.visit_waits(keep);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].first, 77U);
  EXPECT_EQ(kept[0].second, EventTime(std::chrono::milliseconds(1))) << "the holder's UPDATE";
  run(2, change, 0, 1010, 7);
  linker.visit_waits(keep);
  EXPECT_EQ(kept.at(1).second, EventTime(std::chrono::milliseconds(0))) << "it was under way";
  acquire(1500, 1000, 88);
  linker.visit_waits(keep);
  ASSERT_EQ(kept.size(), 4U) << "it is over, but not told of yet: both its ends are needed";
  EXPECT_EQ(kept[2].first, 77U);
  EXPECT_EQ(kept[3].first, 88U);
  settle();
  linker.visit_waits(keep);
  EXPECT_EQ(kept.size(), 4U);
}

}  // namespace
}  // namespace ectoscope
