#include "ingest/statement_deltas.h"

#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

constexpr int64_t kStart = 1'000;

StatementRow row(int64_t queryid, uint64_t calls, uint64_t rows = 0, uint64_t total_us = 0) {
  StatementRow made;
  made.key = {10, 5, queryid};
  made.counters = {calls, rows == 0 ? calls : rows, total_us == 0 ? calls * 10 : total_us, 0, 0};
  return made;
}

class StatementDeltasTest : public ::testing::Test {
 protected:
  /// Calls by queryid.
  std::map<int64_t, uint64_t> read(StatementReading reading,
                                   const std::vector<StatementRow>& rows) {
    std::map<int64_t, uint64_t> calls;
    deltas_.apply(reading, rows, [&calls](const StatementDeltas::Delta& delta) {
      calls[delta.key.queryid] += delta.counters.calls;
    });
    return calls;
  }
  std::map<int64_t, uint64_t> read(int64_t now, const std::vector<StatementRow>& rows) {
    return read(StatementReading{now, kStart, kStart, false}, rows);
  }

  StatementDeltas deltas_;
};

using Calls = std::map<int64_t, uint64_t>;

TEST_F(StatementDeltasTest, FirstReadingOnlyBegins) {
  EXPECT_FALSE(deltas_.has_begun());
  EXPECT_EQ(read(10'000, {row(1, 500)}), Calls{});
  EXPECT_TRUE(deltas_.has_begun());
  EXPECT_EQ(read(20'000, {row(1, 500)}), Calls{});
  EXPECT_EQ(read(30'000, {row(1, 503)}), (Calls{{1, 3}}));
}

TEST_F(StatementDeltasTest, NewEntryCountsInFull) {
  read(10'000, {row(1, 5)});
  EXPECT_EQ(read(20'000, {row(1, 5), row(2, 7)}), (Calls{{2, 7}}));
}

TEST_F(StatementDeltasTest, AllCountersAreSubtracted) {
  StatementRow first = row(1, 5, 50, 500);
  first.counters.blocks_read = 3;
  first.counters.temp_blocks = 4;
  StatementRow second = row(1, 7, 80, 900);
  second.counters.blocks_read = 10;
  second.counters.temp_blocks = 20;
  read(10'000, {first});
  StatementCounters seen;
  deltas_.apply({20'000, kStart, kStart, false}, std::vector{second},
                [&seen](const auto& delta) { seen = delta.counters; });
  EXPECT_EQ(seen.calls, 2U);
  EXPECT_EQ(seen.rows, 30U);
  EXPECT_EQ(seen.total_us, 400U);
  EXPECT_EQ(seen.blocks_read, 7U);
  EXPECT_EQ(seen.temp_blocks, 16U);
}

TEST_F(StatementDeltasTest, ResetStartsAtZeroAndCountsNothingTwice) {
  read(10'000, {row(1, 500), row(2, 9)});
  // 400 of the 500 calls were counted before; since the reset at 15'000 there were 600.
  EXPECT_EQ(read({20'000, kStart, 15'000, false}, {row(1, 600)}), (Calls{{1, 600}}));
  EXPECT_EQ(deltas_.resets(), 1U);
  EXPECT_EQ(read({30'000, kStart, 15'000, false}, {row(1, 601)}), (Calls{{1, 1}}));
}

TEST_F(StatementDeltasTest, ResetOfOneEntryShowsByItsFall) {
  read(10'000, {row(1, 500), row(2, 10)});
  EXPECT_EQ(read(20'000, {row(1, 4), row(2, 11)}), (Calls{{1, 4}, {2, 1}}));
  EXPECT_EQ(deltas_.evictions(), 1U);
}

TEST_F(StatementDeltasTest, AnyCounterThatFellShowsAnEviction) {
  // Came back with as many calls, but with less time: it began anew.
  read(10'000, {row(1, 5, 5, 9'000)});
  EXPECT_EQ(read(20'000, {row(1, 6, 6, 100)}), (Calls{{1, 6}}));
}

TEST_F(StatementDeltasTest, EvictedEntryThatComesBackCountsFromZero) {
  read(10'000, {row(1, 500), row(2, 1)});
  EXPECT_EQ(read(20'000, {row(2, 1)}), Calls{});
  EXPECT_EQ(deltas_.evictions(), 1U);
  EXPECT_EQ(deltas_.size(), 1U);
  EXPECT_EQ(read(30'000, {row(1, 600), row(2, 1)}), (Calls{{1, 600}}));
}

TEST_F(StatementDeltasTest, StatsSinceTellsWhatCountersCannot) {
  StatementRow first = row(1, 5);
  first.since_us = 2'000;
  read(10'000, {first});
  StatementRow second = row(1, 8);
  second.since_us = 12'000;  // evicted, and back with more
  EXPECT_EQ(read(20'000, {second}), (Calls{{1, 8}}));
}

TEST_F(StatementDeltasTest, RestartKeepsCountersThatTheServerKept) {
  read(10'000, {row(1, 500)});
  EXPECT_EQ(read({20'000, 15'000, kStart, false}, {row(1, 510)}), (Calls{{1, 10}}));
}

TEST_F(StatementDeltasTest, CrashDropsThem) {
  read(10'000, {row(1, 500)});
  EXPECT_EQ(read({20'000, 15'000, 15'000, false}, {row(1, 510)}), (Calls{{1, 510}}));
}

TEST_F(StatementDeltasTest, AnotherServerOnlyBegins) {
  read(10'000, {row(1, 500)});
  // The replica has been up, and counting, for long.
  EXPECT_EQ(read({20'000, 500, 600, false}, {row(1, 90'000), row(2, 5)}), Calls{});
  EXPECT_EQ(deltas_.resets(), 0U);
  EXPECT_EQ(read({30'000, 500, 600, false}, {row(1, 90'002), row(2, 5)}), (Calls{{1, 2}}));
  // Behind one address, its start is the same but its counters are older than our last look.
  EXPECT_EQ(read({40'000, 500, 700, false}, {row(1, 95'000)}), Calls{});
}

TEST_F(StatementDeltasTest, VersionThirteenHasNoInfo) {
  read({10'000, kStart, std::nullopt, false}, {row(1, 500)});
  EXPECT_EQ(read({20'000, 15'000, std::nullopt, false}, {row(1, 3)}), (Calls{{1, 3}}));
  EXPECT_EQ(read({30'000, 15'000, std::nullopt, false}, {row(1, 5)}), (Calls{{1, 2}}));
}

TEST_F(StatementDeltasTest, LeftOutRowsAreNotNewOnesLater) {
  read({10'000, kStart, kStart, true}, {row(1, 5)});
  EXPECT_EQ(read({20'000, kStart, kStart, false}, {row(1, 6), row(2, 1'000)}), (Calls{{1, 1}}));
  EXPECT_EQ(read({30'000, kStart, kStart, true}, {row(1, 7), row(3, 50)}), (Calls{{1, 1}}));
  EXPECT_EQ(read({40'000, kStart, kStart, true}, {row(1, 8), row(3, 51)}), (Calls{{1, 1}, {3, 1}}));
}

TEST_F(StatementDeltasTest, ShapeStaysKnownOverAReset) {
  const auto set = [this](StatementReading reading, uint64_t calls, QueryId to) {
    QueryId before = 99;
    deltas_.apply(reading, std::vector{row(1, calls)}, [&](const auto& delta) {
      before = *delta.query;
      *delta.query = to;
    });
    return before;
  };
  set({10'000, kStart, kStart, false}, 1, 0);
  EXPECT_EQ(set({20'000, kStart, kStart, false}, 2, 7), kNoQuery);
  EXPECT_EQ(set({30'000, kStart, 25'000, false}, 2, 7), 7U);
}

TEST_F(StatementDeltasTest, EntriesThatAreGoneTakeNoMemory) {
  for (int64_t poll = 1; poll < 200; ++poll) {
    std::vector<StatementRow> rows;
    for (int64_t i = 0; i < 100; ++i)
      rows.push_back(row(poll * 1000 + i, 1));
    read(poll * 10'000, rows);
    EXPECT_EQ(deltas_.size(), 100U);
  }
}

}  // namespace
}  // namespace ectoscope
