#include "traces/grouper.h"

#include <functional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/traces/stream_builder.h"

namespace ectoscope::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Le;
using ::testing::SizeIs;

constexpr TraceId kOne{1, 1};
constexpr TraceId kTwo{2, 2};

TEST(Grouper, TracesByTheirIdHoweverTheyInterleave) {
  StreamBuilder app;
  const QueryId posts = app.select_by("posts", "user_id");
  for (int i = 0; i < 4; ++i) {
    app.run(posts, i, i, 100 + i).trace_id = kOne;
    app.run(posts, i + 0.5, i, 200 + i).trace_id = kTwo;
  }
  const auto traces = app.group();
  ASSERT_EQ(traces.size(), 2U);
  for (const auto& trace : traces) {
    EXPECT_EQ(trace.grouped_by, GroupedBy::kTraceparent);
    EXPECT_EQ(trace.executions.size(), 4U);
    for (const Execution& execution : trace.executions)
      EXPECT_EQ(execution.trace_id, trace.id);
  }
}

TEST(Grouper, ATransactionBelongsToTheTraceOfAnyOfItsStatements) {
  StreamBuilder app;
  const QueryId begin = app.control(TransactionVerb::kBegin);
  const QueryId commit = app.control(TransactionVerb::kCommit);
  const QueryId insert = app.insert_into("orders");
  app.run(begin, 1);
  app.run(insert, 2);
  app.run(insert, 3).trace_id = kOne;
  app.run(commit, 4);
  const auto traces = app.group();
  ASSERT_EQ(traces.size(), 1U);
  EXPECT_EQ(traces[0].id, kOne);
  EXPECT_EQ(traces[0].executions.size(), 4U);
}

TEST(Grouper, AnUntaggedTransactionIsATraceOfItsOwn) {
  StreamBuilder app;
  const QueryId begin = app.control(TransactionVerb::kBegin);
  const QueryId rollback = app.control(TransactionVerb::kRollback);
  const QueryId insert = app.insert_into("orders");
  for (const int32_t pid : {1, 2}) {
    app.run(begin, 1, 0, pid);
    for (int i = 0; i < 3; ++i)
      app.run(insert, 2 + i, i, pid);
    app.run(rollback, 9, 0, pid);
  }
  const auto traces = app.group();
  ASSERT_EQ(traces.size(), 2U);
  for (const auto& trace : traces) {
    EXPECT_EQ(trace.grouped_by, GroupedBy::kTransaction);
    EXPECT_EQ(trace.executions.size(), 5U);
    for (const Execution& e : trace.executions)
      EXPECT_EQ(e.pid, trace.executions[0].pid);
  }
}

TEST(Grouper, ATransactionWhoseBeginIsMissingIsKnownByItsVirtualXid) {
  StreamBuilder app;
  const QueryId insert = app.insert_into("orders");
  const QueryId commit = app.control(TransactionVerb::kCommit);
  for (int i = 0; i < 4; ++i)
    app.run(insert, i, i).transaction = 77;
  app.run(commit, 9);
  const auto traces = app.group();
  ASSERT_EQ(traces.size(), 1U);
  EXPECT_EQ(traces[0].grouped_by, GroupedBy::kTransaction);
}

/// How many statements each transaction has, in their order.
std::vector<size_t> transactions(StreamBuilder& app) {
  std::vector<size_t> sizes;
  for (const auto& trace : app.group())
    if (trace.grouped_by == GroupedBy::kTransaction) sizes.push_back(trace.executions.size());
  return sizes;
}

TEST(Grouper, AnotherVirtualXidEndsATransaction) {
  StreamBuilder app;
  const QueryId begin = app.control(TransactionVerb::kBegin);
  const QueryId insert = app.insert_into("orders");
  const QueryId posts = app.select_by("posts", "user_id");
  app.run(begin, 1).transaction = 77;
  app.run(insert, 2).transaction = 77;
  for (uint64_t i = 0; i < 8; ++i)
    app.run(posts, 100.0 * static_cast<double>(i + 1), 3).transaction = 78 + i;
  EXPECT_THAT(transactions(app), ElementsAre(2U));
}

TEST(Grouper, WhatHasNoEndIsNoTransaction) {
  StreamBuilder app;
  const QueryId begin = app.control(TransactionVerb::kBegin);
  const QueryId commit = app.control(TransactionVerb::kCommit);
  const QueryId insert = app.insert_into("orders");
  const QueryId posts = app.select_by("posts", "user_id");
  app.run(begin, 1);
  for (int i = 0; i < 8; ++i)
    app.run(posts, 100 * (i + 1), int64_t{7} * i).trace_id = {0, static_cast<uint64_t>(i + 1)};
  app.run(begin, 2'000);
  app.run(insert, 2'001);
  app.run(commit, 2'002);
  EXPECT_THAT(transactions(app), ElementsAre(3U));
  EXPECT_EQ(app.group().size(), 9U) << "what is tagged belongs to its own trace";
}

TEST(Grouper, WhereEndsAreLostNoTransactionIsBelieved) {
  StreamBuilder app;
  const QueryId begin = app.control(TransactionVerb::kBegin);
  const QueryId commit = app.control(TransactionVerb::kCommit);
  const QueryId posts = app.select_by("posts", "user_id");
  for (int i = 0; i < 20; ++i) {
    app.run(begin, 1000 * i);
    app.run(posts, 1000 * i + 500, int64_t{7} * i);
    if (i % 2 == 0) app.run(commit, 1000 * i + 600);
  }
  EXPECT_THAT(transactions(app), SizeIs(Le(3U))) << "until it was known";
}

TEST(Grouper, TransactionsAreBelievedAgainOnceTheLogShowsThemWhole) {
  StreamBuilder app;
  const QueryId begin = app.control(TransactionVerb::kBegin);
  const QueryId commit = app.control(TransactionVerb::kCommit);
  for (int i = 0; i < 2'000; ++i)
    app.run(begin, 10 * i);
  for (int i = 0; i < 6'000; ++i) {
    app.run(begin, 20'000 + 10 * i);
    app.run(commit, 20'005 + 10 * i);
  }
  const size_t believed = transactions(app).size();
  EXPECT_GT(believed, 1'000U);
  EXPECT_LT(believed, 5'000U) << "not at once";
}

TEST(Grouper, AWriteWhoseBeginIsLostIsNotLoose) {
  const auto requests_with_writes = [](bool begins_shown) {
    StreamBuilder app;
    const QueryId begin = app.control(TransactionVerb::kBegin);
    const QueryId commit = app.control(TransactionVerb::kCommit);
    const QueryId orders = app.insert_into("orders");
    const QueryId items = app.insert_into("order_items");
    for (int i = 0; i < 40; ++i) {
      const double at = 3000.0 * i;
      if (begins_shown) app.run(begin, at);
      app.run(orders, at + 1, i);
      app.run(items, at + 2, i);
      app.run(commit, at + 3);
    }
    size_t loose = 0;
    for (const auto& trace : app.group())
      if (trace.grouped_by == GroupedBy::kChain && trace.executions.size() == 2) ++loose;
    return loose;
  };
  EXPECT_EQ(requests_with_writes(true), 0U);
  EXPECT_LE(requests_with_writes(false), 4U) << "until it was known";
}

TEST(Grouper, ATransactionThatTheLogsEndCutsOff) {
  const auto open_for = [](double ms, int ended_before) {
    StreamBuilder app;
    const QueryId begin = app.control(TransactionVerb::kBegin);
    const QueryId commit = app.control(TransactionVerb::kCommit);
    const QueryId insert = app.insert_into("orders");
    for (int i = 0; i < ended_before; ++i) {
      app.run(begin, i, 0, 7);
      app.run(commit, i + 0.5, 0, 7);
    }
    app.run(begin, 100);
    app.run(insert, 101);
    app.run(insert, 100 + ms);
    return transactions(app).size() - static_cast<size_t>(ended_before);
  };
  EXPECT_EQ(open_for(50'000, 0), 1U);
  EXPECT_EQ(open_for(70'000, 0), 0U) << "nothing says that this log shows ends";
  EXPECT_EQ(open_for(70'000, 10), 1U);
}

TEST(Grouper, DoesNotBelieveTheIdOfANamedStatement) {
  StreamBuilder app;
  const QueryId posts = app.select_by("posts", "user_id");
  for (int i = 0; i < 6; ++i) {
    Execution& execution = app.run(posts, i * 3, i);
    execution.trace_id = kOne;
    execution.flags |= Execution::kNamed;
  }
  const auto traces = app.group();
  EXPECT_EQ(app.stale, 6U);
  for (const auto& trace : traces)
    EXPECT_NE(trace.grouped_by, GroupedBy::kTraceparent);
}

TEST(Grouper, KeepsExactCountsPastTheCap) {
  StreamBuilder app;
  const QueryId posts = app.select_by("posts", "user_id");
  for (int i = 0; i < 50; ++i)
    app.run(posts, i, i).trace_id = kOne;
  Options options(grouping_options());
  options.set("max_trace_executions", 10);
  const auto traces = app.group(options);
  ASSERT_EQ(traces.size(), 1U);
  EXPECT_TRUE(traces[0].truncated);
  EXPECT_EQ(traces[0].executions.size(), 10U);
  ASSERT_EQ(traces[0].totals.size(), 1U);
  EXPECT_EQ(traces[0].totals[0].executions, 50U);
  EXPECT_EQ(traces[0].totals[0].duration, Micros(50 * 200));
}

TEST(Grouper, OpenTracesAreBounded) {
  StreamBuilder app;
  const QueryId posts = app.select_by("posts", "user_id");
  for (uint64_t i = 1; i <= 40; ++i)
    app.run(posts, static_cast<double>(i)).trace_id = TraceId{i, i};
  Options options(grouping_options());
  options.set("max_open_traces", 10);
  EXPECT_EQ(app.group(options).size(), 40U);
}

TEST(Grouper, AnIdThatComesAgainAfterALongSilenceIsAnotherTrace) {
  StreamBuilder app;
  const QueryId posts = app.select_by("posts", "user_id");
  app.run(posts, 0).trace_id = kOne;
  app.run(posts, 31'000).trace_id = kOne;
  app.run(posts, 60'000).trace_id = kOne;
  const auto traces = app.group();
  ASSERT_EQ(traces.size(), 2U);
  EXPECT_EQ(traces[0].executions.size() + traces[1].executions.size(), 3U);
}

TEST(Grouper, IgnoredExecutionsAreInNoTrace) {
  StreamBuilder app;
  const QueryId posts = app.select_by("posts", "user_id");
  Execution& execution = app.run(posts, 0);
  execution.trace_id = kOne;
  execution.flags |= Execution::kIgnored;
  EXPECT_TRUE(app.group().empty());
}

/// An order, and what is noted of it 20 ms later with the order's id.
struct LooseWrites : ::testing::Test {
  LooseWrites() {
    stream.run(order, 10, 77).position = 1;
    stream.run(audit, 30, 77).position = 2;
  }

  /// The positions of what awaits other writes.
  static std::vector<uint64_t> awaiting(const Grouper& grouper) {
    std::vector<uint64_t> positions;
    grouper.visit_writes(
        [&](const Execution& execution) { positions.push_back(execution.position); });
    return positions;
  }

  /// How many writes each trace has that comes within a minute.
  std::vector<size_t> traces_of(const std::function<void(Grouper&)>& add) {
    std::vector<size_t> sizes;
    Grouper grouper(stream.queries, options,
                    [&](const Trace& trace) { sizes.push_back(trace.executions.size()); });
    add(grouper);
    grouper.advance(stream.executions.back().ended_at + Micros(60'000'000));
    EXPECT_THAT(awaiting(grouper), ::testing::IsEmpty());
    return sizes;
  }

  StreamBuilder stream;
  QueryId order = stream.insert_into("orders");
  QueryId audit = stream.insert_into("audits");
  Options options{grouping_options()};
};

TEST_F(LooseWrites, AreVisitedWhileOthersMayCome) {
  EXPECT_THAT(traces_of([&](Grouper& grouper) {
                grouper.add(stream.executions);
                EXPECT_THAT(awaiting(grouper), ::testing::ElementsAre(1, 2));
              }),
              ::testing::ElementsAre(2));
}

TEST_F(LooseWrites, AreGroupedAgainAfterARestart) {
  EXPECT_THAT(traces_of([&](Grouper& grouper) {
                for (const Execution& execution : stream.executions)
                  grouper.add_again(execution, {false, true});
              }),
              ::testing::ElementsAre(2));
}

TEST_F(LooseWrites, AreNotGroupedAgainWhenTheyWereJudged) {
  EXPECT_THAT(traces_of([&](Grouper& grouper) {
                for (const Execution& execution : stream.executions)
                  grouper.add_again(execution, {true, false});
              }),
              ::testing::IsEmpty());
}

}  // namespace
}  // namespace ectoscope::testing
