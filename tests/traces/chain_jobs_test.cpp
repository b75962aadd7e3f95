// Jobs of a queue, ten side by side, in a log without tags: what each did once is no loop.
#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "tests/traces/stream_builder.h"

namespace ectoscope::testing {
namespace {

constexpr double kLeastConfidence = 0.7;  // the default of min_grouping_confidence

class ChainJobsTest : public ::testing::Test {
 protected:
  static constexpr int kBatches = 40;
  static constexpr int kJobs = 20;

  /// Batches of jobs, each of which looks up `rows` users, works and is marked as done.
  void run_jobs(int rows) {
    for (int batch = 0; batch < kBatches; ++batch) {
      std::array<double, 10> idle_from{};
      idle_from.fill(batch * 3000.0);
      for (int job = 0; job < kJobs; ++job) {
        double& at = *std::min_element(idle_from.begin(), idle_from.end());
        for (int row = 0; row < rows; ++row) {
          at += 2 + static_cast<double>(scatter_.below(8));
          app_.run(users_, at, next_user(), any_pid());
        }
        at += 20 + static_cast<double>(scatter_.below(60));
        app_.run(done_, at, ++last_job_, any_pid());
      }
    }
  }

  size_t reported() {
    const auto traces = app_.group();
    return static_cast<size_t>(std::count_if(traces.begin(), traces.end(), [](const auto& trace) {
      return trace.grouped_by == GroupedBy::kChain && trace.confidence >= kLeastConfidence &&
             trace.executions.size() >= 5;
    }));
  }

  // Jobs are often made for row after row: their keys are neighbours, as a loop's.
  int64_t next_user() { return last_user_ += 1 + scatter_.below(2); }
  int32_t any_pid() { return static_cast<int32_t>(100 + scatter_.below(10)); }

  StreamBuilder app_;
  Scatter scatter_;
  QueryId users_ = app_.select_by("users", "id");
  QueryId done_ = app_.end_of_job();
  int64_t last_user_ = 0;
  int64_t last_job_ = 0;
};

TEST_F(ChainJobsTest, WhatEachJobDoesOnceIsNoLoop) {
  run_jobs(1);
  EXPECT_EQ(reported(), 0U);
}

TEST_F(ChainJobsTest, ALoopWithinAJobIsOne) {
  run_jobs(12);
  EXPECT_GE(reported(), static_cast<size_t>(kBatches * kJobs / 4));
}

// So many jobs a second do something else meanwhile.
TEST_F(ChainJobsTest, ALoopBesideThemIsOne) {
  constexpr int kRequests = 30;
  for (const int jobs : {5, 12, 50}) {
    app_.executions.clear();
    for (int request = 0; request < kRequests; ++request) {
      for (int job = 0; job < 2 * jobs; ++job)
        app_.run(done_, request * 2000.0 + job * 1000.0 / jobs, ++last_job_, any_pid());
      double at = request * 2000.0 + 700;
      last_user_ += 1000;
      for (int row = 0; row < 10; ++row)
        app_.run(users_, at += 4, ++last_user_, any_pid());
    }
    EXPECT_GE(reported(), static_cast<size_t>(kRequests * 8 / 10)) << jobs << " jobs a second";
  }
}

// Where no queue tells its jobs apart, the same is a loop over neighbours.
TEST_F(ChainJobsTest, WithoutTheirEndsTheyLookLikeOne) {
  run_jobs(1);
  std::erase_if(app_.executions, [&](const Execution& run) { return run.query == done_; });
  EXPECT_GE(reported(), static_cast<size_t>(kBatches / 2));
}

}  // namespace
}  // namespace ectoscope::testing
