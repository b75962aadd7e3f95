// What chance brings: loops over random keys, told from other requests by nothing but the time.
#include <map>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/traces/stream_builder.h"

namespace ectoscope::testing {
namespace {

constexpr double kLeastConfidence = 0.7;  // the default of min_grouping_confidence

class ChainChanceTest : public ::testing::Test {
 protected:
  int32_t any_pid() { return static_cast<int32_t>(100 + scatter_.below(10)); }
  int64_t any_key() { return scatter_.below(1'000'000); }

  /// Loops that would be reported.
  std::vector<StreamBuilder::Kept> reported() {
    std::vector<StreamBuilder::Kept> found;
    for (StreamBuilder::Kept& trace : app_.group()) {
      if (trace.grouped_by == GroupedBy::kChain && trace.confidence >= kLeastConfidence &&
          trace.executions.size() >= 5)
        found.push_back(std::move(trace));
    }
    return found;
  }

  StreamBuilder app_;
  Scatter scatter_;
  QueryId users_ = app_.select_by("users", "id");
  QueryId posts_ = app_.list_of("posts", "title");
  QueryId products_ = app_.select_by("products", "id");
};

// Nothing else is under way while they run, so nothing but the loop can have brought them.  Half of
// the requests look up one row only.
TEST_F(ChainChanceTest, ALoopByItselfIsNotItsOwnChance) {
  for (const double gap : {5.0, 15.0, 40.0}) {
    app_.executions.clear();
    constexpr uint64_t kRequests = 100;
    for (uint64_t request = 0; request < kRequests; ++request) {
      double at = static_cast<double>(request) * 5000;
      const auto next = [&] {
        return at += gap * (0.5 + static_cast<double>(scatter_.below(100)) / 100);
      };
      app_.run(users_, next(), any_key(), any_pid()).position = request;
      app_.run(posts_, next(), 20, any_pid()).position = request;
      const int rows = request % 2 == 0 ? 16 : 1;
      for (int row = 0; row < rows; ++row)
        app_.run(products_, next(), any_key(), any_pid()).position = request;
    }
    size_t whole = 0;
    for (const StreamBuilder::Kept& trace : reported()) {
      std::map<uint64_t, size_t> of;
      for (const Execution& execution : trace.executions) {
        if (execution.query == products_) ++of[execution.position];
      }
      ASSERT_EQ(of.size(), 1U) << "one request's only";
      if (of.begin()->second >= 15) ++whole;
    }
    EXPECT_GE(whole, kRequests / 2 * 8 / 10) << gap << " ms between two statements";
  }
}

// Some visitors come shortly after one another: all are looked up before the rest of any page.
TEST_F(ChainChanceTest, WhatOpensRequestsStandsAloneAndIsNoLoop) {
  double now = 0;
  for (int visit = 0; visit < 400; ++visit) {
    now += 100 + static_cast<double>(scatter_.below(400));
    double arrives = now;
    const int visitors = visit % 10 == 9 ? 5 : 1;
    for (int visitor = 0; visitor < visitors; ++visitor) {
      arrives += static_cast<double>(scatter_.below(60));
      double at = arrives;
      app_.run(users_, at, any_key(), any_pid());
      at += visitors == 1 ? 0 : 200;
      for (int step = 0; step < 3; ++step) {
        at += 5 + static_cast<double>(scatter_.below(100));
        app_.run(step == 1 ? products_ : posts_, at, any_key(), any_pid());
      }
    }
  }
  // Nothing but the time tells them from a loop's, and now and then it does not.
  EXPECT_LE(reported().size(), 8U) << "of 40 such groups of visitors";
}

}  // namespace
}  // namespace ectoscope::testing
