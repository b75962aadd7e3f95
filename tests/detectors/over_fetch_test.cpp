#include <algorithm>
#include <utility>
#include <vector>

#include "core/amendment.h"
#include "plan_maker.h"

namespace ectoscope {
namespace {

using Type = PlanNodeType;

PlanMaker read(double rows) {
  return PlanMaker().node(Type::kSeqScan, {.found = rows, .expected = rows}, "posts");
}

TEST(OverFetch, RowsOfOneRead) {
  const PlanCase cases[] = {
      {"at the threshold", read(2000), true},
      {"one below", read(1999), false},
      {"a look-up table", read(200), false},
      {"too fast", read(50'000), false, Micros(9'999)},
      {"a stream's chunk", read(50'000), false, Micros(100'000), Execution::kFetch},
      {"seen through its plan alone", read(50'000), true, Micros(100'000), Execution::kPlanOnly},
      {"estimates tell nothing of what came",
       read(50'000).whole([](Plan& plan) { plan.analyzed = false; }), false},
  };
  expect_found("over_fetch", select_all("posts"), cases);
}

TEST(OverFetch, WhatIsBoundedIsNot) {
  const auto found = [](const Query& query) {
    Probe probe("over_fetch");
    probe.explain(read(50'000).make(), ran(query), query);
    return probe.observations.size();
  };
  EXPECT_EQ(found(select_all("posts")), 1U);
  EXPECT_EQ(found(by(select_all("posts"), "user_id")), 1U);
  EXPECT_EQ(found(by(select_all("posts"), "user_id", KeyForm::kList)), 0U) << "a preload";
  EXPECT_EQ(found(with(select_all("posts"), "limit", [](Query& it) { it.has_limit = true; })), 0U);
  EXPECT_EQ(found(with(select_all("posts"), "count", [](Query& it) { it.aggregate = true; })), 0U);
  EXPECT_EQ(found(update("posts")), 0U);
}

TEST(OverFetch, CriticalTakesRowsAndTime) {
  const auto severity = [](double rows, Micros duration) {
    const Query query = select_all("posts");
    Probe probe("over_fetch");
    probe.explain(read(rows).make(), ran(query, duration), query);
    return probe.observations.at(0).severity;
  };
  EXPECT_EQ(severity(100'000, Micros(1'000'000)), Severity::kCritical);
  EXPECT_EQ(severity(99'999, Micros(1'000'000)), Severity::kWarning);
  EXPECT_EQ(severity(100'000, Micros(999'999)), Severity::kWarning);
}

/// A read of many rows by connection 1, and what the others do until that one is used again.
class Held {
 public:
  Held() {
    Execution read = one(1, 0, 100, select_all("posts"));
    read.query = 7;
    read_ = read;
    Query query = select_all("posts");
    query.id = 7;
    probe_.explain(read_rows(), read, query);
  }

  /// At `from` and every `step` ms until `to`.
  struct Every {
    int from;
    int to;
    int step;
  };
  Held& uses(uint64_t session, Every every, const Query& query = select_all("users"),
             StreamId stream = 0, uint64_t transaction = 0) {
    for (int at = every.from; at <= every.to; at += every.step) {
      Execution execution = one(session, at, 1, query);
      execution.stream = stream;
      execution.transaction = transaction;
      waiting_.emplace_back(execution, query);
    }
    return *this;
  }

  /// How long it says that the connection was held, by its next use at `next`.
  std::vector<double> until(int next) {
    waiting_.emplace_back(one(1, next, 1, select_all("users")), select_all("users"));
    std::stable_sort(waiting_.begin(), waiting_.end(), [](const auto& left, const auto& right) {
      return left.first.ended_at < right.first.ended_at;
    });
    for (const auto& [execution, query] : waiting_)
      probe_.run(execution, query);
    std::vector<double> held;
    for (const Amendment& amendment : probe_.amendments) {
      EXPECT_EQ(amendment.query, 7U);
      EXPECT_EQ(amendment.started_at, read_.started_at);
      EXPECT_EQ(amendment.pid, 101);
      EXPECT_EQ(to_ms(amendment.ended_at - read_.ended_at), amendment.value);
      held.push_back(amendment.value);
    }
    return held;
  }

  static Execution one(uint64_t session, int at, int ms, const Query& query) {
    static uint64_t position = 0;
    Execution execution;
    execution.position = ++position;
    execution.query = query.id;
    execution.session = session;
    execution.pid = static_cast<int32_t>(100 + session);
    execution.started_at = EventTime(std::chrono::seconds(1'700'000'000)) + Micros(at * 1000);
    execution.duration = Micros(ms * 1000);
    execution.ended_at = execution.started_at + execution.duration;
    return execution;
  }

 private:
  static std::shared_ptr<const Plan> read_rows() { return read(50'000).make(); }

  Probe probe_{"over_fetch"};
  Execution read_;
  std::vector<std::pair<Execution, Query>> waiting_;
};

using Times = std::vector<double>;

TEST(OverFetch, ConnectionHeldWhileOthersAreHandedOutAgain) {
  // The third of the others was last used at 990 and, before, at 980: so it was held at 980.
  EXPECT_EQ(
      Held().uses(2, {110, 990, 10}).uses(3, {110, 990, 10}).uses(4, {110, 990, 10}).until(1000),
      Times{880});
  EXPECT_EQ(
      Held().uses(2, {110, 990, 10}).uses(3, {110, 990, 10}).uses(4, {110, 500, 10}).until(1000),
      Times{390})
      << "what three of them tell";
  EXPECT_EQ(
      Held().uses(2, {110, 1990, 10}).uses(3, {110, 1990, 10}).uses(4, {110, 1990, 10}).until(1900),
      Times{1780})
      << "what came after its next use tells nothing";
}

TEST(OverFetch, ConnectionThatWasFreeIsNotHeld) {
  EXPECT_EQ(Held().uses(2, {110, 990, 10}).uses(3, {110, 990, 10}).until(1000), Times{}) << "two";
  EXPECT_EQ(
      Held().uses(2, {300, 990, 300}).uses(3, {300, 990, 300}).uses(4, {300, 990, 300}).until(1000),
      Times{})
      << "too few";
  EXPECT_EQ(
      Held().uses(2, {110, 990, 10}).uses(3, {110, 990, 10}).uses(4, {110, 990, 10}).until(105),
      Times{})
      << "at once";
  EXPECT_EQ(Held()
                .uses(2, {110, 990, 10}, select_all("users"), 1)
                .uses(3, {110, 990, 10})
                .uses(4, {110, 990, 10})
                .until(1000),
            Times{})
      << "another application's";
  EXPECT_EQ(Held()
                .uses(2, {110, 99'000, 100})
                .uses(3, {110, 99'000, 100})
                .uses(4, {110, 99'000, 100})
                .until(99'000),
            Times{})
      << "nobody reads for a minute";
}

TEST(OverFetch, StatementsOfATransactionAreOneUse) {
  Query begin;
  begin.transaction = TransactionVerb::kBegin;
  Query commit;
  commit.transaction = TransactionVerb::kCommit;
  const auto held = [](int at, const Query& query) {
    return Held()
        .uses(2, {110, 990, 10})
        .uses(3, {110, 990, 10})
        .uses(4, {115, 990, 10})
        .uses(4, {at, at, 1}, query)
        .until(1000);
  };
  EXPECT_EQ(held(105, select_all("users")).size(), 1U);
  EXPECT_EQ(held(105, begin), Times{});
  EXPECT_EQ(held(995, commit), Times{}) << "it began before";
  EXPECT_EQ(Held()
                .uses(2, {110, 990, 10})
                .uses(3, {110, 990, 10})
                .uses(4, {110, 990, 10}, select_all("users"), 0, 77)
                .until(1000),
            Times{})
      << "by its virtual transaction id";
}

}  // namespace
}  // namespace ectoscope
