#include "detectors/support/held_connections.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

/// A read by connection 1 from 0 to 100 ms, and what the others do until that one is used again.
class Held {
 public:
  Held() { connections_.watch(one(1, 0, 100)); }

  /// At `from` and every `step` ms until `to`.
  struct Every {
    int from;
    int to;
    int step;
  };
  Held& uses(uint64_t session, Every every, const Query& query = {}, StreamId stream = 0,
             uint64_t transaction = 0) {
    for (int at = every.from; at <= every.to; at += every.step) {
      Execution execution = one(session, at, 1);
      execution.stream = stream;
      execution.transaction = transaction;
      waiting_.emplace_back(execution, query);
    }
    return *this;
  }

  /// How long it says that the connection was held, by its next use at `next`; -1: nothing.
  double until(int next) {
    waiting_.emplace_back(one(1, next, 1), Query{});
    std::stable_sort(waiting_.begin(), waiting_.end(), [](const auto& left, const auto& right) {
      return left.first.ended_at < right.first.ended_at;
    });
    double ms = -1;
    for (const auto& [execution, query] : waiting_) {
      const auto held = connections_.note(execution, query);
      if (!held) continue;
      EXPECT_EQ(ms, -1) << "told twice";
      EXPECT_EQ(held->pid, 101);
      EXPECT_EQ(held->until, at(100) + held->after);
      ms = to_ms(held->after);
    }
    return ms;
  }

 private:
  static EventTime at(int ms) { return EventTime(Micros(1'000'000'000) + Micros(ms * 1000)); }

  Execution one(uint64_t session, int begins, int takes) {
    Execution execution;
    execution.position = ++position_;
    execution.session = session;
    execution.pid = static_cast<int32_t>(100 + session);
    execution.started_at = at(begins);
    execution.duration = Micros(takes * 1000);
    execution.ended_at = at(begins + takes);
    return execution;
  }

  HeldConnections connections_;
  uint64_t position_ = 0;
  std::vector<std::pair<Execution, Query>> waiting_;
};

constexpr double kNothing = -1;

TEST(HeldConnections, HeldWhileOthersAreHandedOutAgain) {
  // The third of the others was last used at 990 and, before, at 980: so it was held at 980.
  EXPECT_EQ(
      Held().uses(2, {110, 990, 10}).uses(3, {110, 990, 10}).uses(4, {110, 990, 10}).until(1000),
      880);
  EXPECT_EQ(
      Held().uses(2, {110, 990, 10}).uses(3, {110, 990, 10}).uses(4, {110, 500, 10}).until(1000),
      390)
      << "what three of them tell";
  EXPECT_EQ(
      Held().uses(2, {110, 1990, 10}).uses(3, {110, 1990, 10}).uses(4, {110, 1990, 10}).until(1900),
      1780)
      << "what came after its next use tells nothing";
}

TEST(HeldConnections, WhatWasFreeIsNotHeld) {
  EXPECT_EQ(Held().uses(2, {110, 990, 10}).uses(3, {110, 990, 10}).until(1000), kNothing) << "two";
  EXPECT_EQ(
      Held().uses(2, {300, 990, 300}).uses(3, {300, 990, 300}).uses(4, {300, 990, 300}).until(1000),
      kNothing)
      << "too few";
  EXPECT_EQ(
      Held().uses(2, {110, 990, 10}).uses(3, {110, 990, 10}).uses(4, {110, 990, 10}).until(105),
      kNothing)
      << "at once";
  EXPECT_EQ(Held()
                .uses(2, {110, 990, 10}, {}, 1)
                .uses(3, {110, 990, 10})
                .uses(4, {110, 990, 10})
                .until(1000),
            kNothing)
      << "another application's";
  EXPECT_EQ(Held()
                .uses(2, {110, 99'000, 100})
                .uses(3, {110, 99'000, 100})
                .uses(4, {110, 99'000, 100})
                .until(99'000),
            kNothing)
      << "nobody reads for a minute";
}

TEST(HeldConnections, StatementsOfATransactionAreOneUse) {
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
  EXPECT_EQ(held(105, {}), 875);
  EXPECT_EQ(held(105, begin), kNothing);
  EXPECT_EQ(held(995, commit), kNothing) << "it began before";
  EXPECT_EQ(Held()
                .uses(2, {110, 990, 10})
                .uses(3, {110, 990, 10})
                .uses(4, {110, 990, 10}, {}, 0, 77)
                .until(1000),
            kNothing)
      << "by its virtual transaction id";
}

}  // namespace
}  // namespace ectoscope
