// The user is looked up eight times: by one request, or by a page's eight requests at once?
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/traces/stream_builder.h"

namespace ectoscope::testing {
namespace {

constexpr int kTimes = 8;
constexpr int kPages = 60;
constexpr int kLearned = 20;  // pages: enough of them have told

class ChainOverlapTest : public ::testing::Test {
 protected:
  // A statement that takes `took_ms`, from `at_ms` on.  Returns its end.
  double run(QueryId query, double at_ms, double took_ms, int64_t key) {
    Execution& execution =
        app_.run(query, at_ms + took_ms, key, static_cast<int32_t>(100 + next_++ % 20));
    execution.duration = Micros(static_cast<int64_t>(took_ms * 1000));
    execution.started_at = execution.ended_at - execution.duration;
    execution.ended_at -= execution.ended_at.time_since_epoch() % Micros(1000);  // as logs have it
    execution.started_at = execution.ended_at - execution.duration;
    execution.position = next_;
    return at_ms + took_ms;
  }
  double upto(double ms) { return static_cast<double>(scatter_.below(1000)) * ms / 1000; }

  // Each call looks the user up and reads something of its own, while the others do.
  void page_of_calls(double at, double read_ms) {
    const int64_t user = scatter_.below(50'000);
    for (int call = 0; call < kTimes; ++call) {
      const double asked = run(users_, at + upto(15), 0.2 + upto(0.2), user);
      run(things_, asked + 0.3 + upto(1), read_ms + upto(read_ms), user + call);
    }
  }

  // One request, which looks the user up before each thing that it reads.
  void forgetful_request(double at, double read_ms) {
    const int64_t user = scatter_.below(50'000);
    for (int call = 0; call < kTimes; ++call) {
      at = run(users_, at + 0.2 + upto(1), 0.2 + upto(0.2), user);
      at = run(things_, at + 0.2 + upto(1), read_ms + upto(read_ms), user + call);
    }
  }

  struct Judged {
    size_t loops = 0;
    double several = 0;  // in the mean
  };
  Judged judged() {
    Judged judged;
    size_t seen = 0;
    for (const auto& trace : app_.group()) {
      const ShapeTotal& first = trace.totals.front();  // users_: alone, or what a loop began with
      if (trace.grouped_by != GroupedBy::kChain || first.query != users_ || first.executions < 3)
        continue;
      if (++seen <= kLearned) continue;
      judged.several += trace.several;
      ++judged.loops;
    }
    judged.several /= std::max(1.0, static_cast<double>(judged.loops));
    return judged;
  }

  template <typename Request>
  void visits(const Request& request) {
    for (int page = 0; page < kPages; ++page)
      request(page * 900.0 + upto(300));
  }

  // What is said of the users' look-ups, in the mean; nearly all are found.
  double several() {
    const Judged told = judged();
    EXPECT_GE(told.loops, (kPages - kLearned) / 2);
    return told.several;
  }

  StreamBuilder app_;
  Scatter scatter_;
  uint64_t next_ = 0;
  QueryId users_ = app_.select_by("users", "id");
  QueryId things_ = app_.select_by("things", "owner_id");
};

TEST_F(ChainOverlapTest, WhatRunsWhileTheyAskTellsThatTheyAreSeveral) {
  visits([&](double at) { page_of_calls(at, 4); });
  EXPECT_GT(several(), 0.9);
}

TEST_F(ChainOverlapTest, OneRequestRunsNothingWhileItAsks) {
  visits([&](double at) { forgetful_request(at, 4); });
  EXPECT_LT(several(), 0.05);
}

// Other visitors' statements overlap the request's as often as they stand anywhere.
TEST_F(ChainOverlapTest, StrangersAreNoEvidence) {
  visits([&](double at) { forgetful_request(at, 1); });
  const QueryId lists = app_.list_of("posts", "id");
  double at = 0;
  while (at < kPages * 900.0)
    run(lists, at += upto(20), 3 + upto(4), 0);
  EXPECT_LT(several(), 0.4);
}

// Stamps of milliseconds show no overlap of statements that are shorter.
TEST_F(ChainOverlapTest, FastStatementsTellNothing) {
  visits([&](double at) { page_of_calls(at, 0.3); });
  EXPECT_NEAR(several(), 0.25, 0.1);
}

// Stamps of whole seconds: all that ended in one second seems to overlap.
TEST_F(ChainOverlapTest, WholeSecondsTellNothing) {
  visits([&](double at) { page_of_calls(at, 4); });
  for (Execution& execution : app_.executions) {
    execution.flags |= Execution::kCoarseTime;
    execution.duration *= 10;  // over the millisecond that stamps else have
    execution.ended_at -= execution.ended_at.time_since_epoch() % Micros(1'000'000);
    execution.started_at = execution.ended_at - execution.duration;
  }
  const Judged unknown = judged();
  EXPECT_GE(unknown.loops, 5U);
  EXPECT_EQ(unknown.several, 0.25);
}

}  // namespace
}  // namespace ectoscope::testing
