// Many processes that ask by the clock, each for its own row, in a log without tags.
#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "tests/traces/stream_builder.h"

namespace ectoscope::testing {
namespace {

constexpr double kLeastConfidence = 0.7;  // the default of min_grouping_confidence
constexpr int kSeconds = 40;
constexpr int kLearned = 6;  // seconds: then each has come often enough

class ChainTicksTest : public ::testing::Test {
 protected:
  size_t reported() {
    const auto traces = app_.group();
    return static_cast<size_t>(std::count_if(traces.begin(), traces.end(), [](const auto& trace) {
      return trace.grouped_by == GroupedBy::kChain && trace.confidence >= kLeastConfidence &&
             trace.executions.size() >= 5 &&
             trace.executions.front().started_at >
                 EventTime(Micros(1'000'000'000)) + std::chrono::seconds(kLearned);
    }));
  }

  int32_t any_pid() { return static_cast<int32_t>(100 + scatter_.below(10)); }
  int64_t any_user() { return 1 + scatter_.below(50'000); }
  double upto(int64_t ms) { return static_cast<double>(scatter_.below(ms * 1000)) / 1000; }

  StreamBuilder app_;
  Scatter scatter_;
  QueryId jobs_ = app_.select_by("jobs", "user_id");
};

TEST_F(ChainTicksTest, LiveViewsThatLookEverySecondAreNoLoop) {
  for (int view = 0; view < 60; ++view) {
    const int64_t user = any_user();
    const double phase = upto(1000);
    for (int second = 0; second < kSeconds; ++second)
      app_.run(jobs_, phase + second * 1000.0 + upto(3), user, any_pid());
  }
  EXPECT_LE(reported(), 2U);
}

// The same users in the same order, but not by the clock: a page that visitors reload.
TEST_F(ChainTicksTest, APageThatIsReloadedIsALoop) {
  std::array<int64_t, 12> users{};
  std::generate(users.begin(), users.end(), [&] { return any_user(); });
  constexpr int kVisits = 40;
  double at = kLearned * 1000.0;
  for (int visit = 0; visit < kVisits; ++visit) {
    at += 200 + upto(1500);
    for (const int64_t user : users)
      app_.run(jobs_, at += 2 + upto(2), user, any_pid());
  }
  EXPECT_GE(reported(), kVisits * 7 / 10);
}

// By the clock, but all in a burst: a timer starts a loop.
TEST_F(ChainTicksTest, ALoopThatATimerStartsIsOne) {
  std::array<int64_t, 12> users{};
  std::generate(users.begin(), users.end(), [&] { return any_user(); });
  for (int second = 0; second < kSeconds; second += 2) {
    double row = second * 1000.0;
    for (const int64_t user : users)
      app_.run(jobs_, row += 2 + upto(2), user, any_pid());
  }
  EXPECT_GE(reported(), (kSeconds - kLearned) / 2 * 7 / 10);
}

}  // namespace
}  // namespace ectoscope::testing
