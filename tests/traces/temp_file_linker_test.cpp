#include "traces/temp_file_linker.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

EventTime at_ms(int64_t ms) {
  return EventTime(std::chrono::milliseconds(ms));
}

class TempFileLinkerTest : public ::testing::Test {
 protected:
  void file(int32_t pid, QueryId query, int64_t at, uint64_t bytes = 100) {
    Incident one;
    one.kind = IncidentKind::kTempFile;
    one.pid = pid;
    one.session = static_cast<uint64_t>(pid);
    one.query = query;
    one.at = one.started_at = at_ms(at);
    one.temp_bytes = bytes;
    linker_.add(one);
  }

  void worker(int32_t pid, QueryId query, int64_t at, uint64_t bytes) {
    Incident one;
    one.kind = IncidentKind::kTempFile;
    one.pid = pid;
    one.query = query;
    one.at = one.started_at = at_ms(at);
    one.temp_bytes = bytes;
    one.of_worker = true;
    linker_.add(one);
  }

  void run(int32_t pid, QueryId query, int64_t from, int64_t to) {
    Execution execution;
    execution.pid = pid;
    execution.query = query;
    execution.started_at = at_ms(from);
    execution.ended_at = at_ms(to);
    execution.trace_id = {0, 7};
    execution.route = 3;
    linker_.add({&execution, 1});
  }

  /// "query 1: 300 bytes, 0 to 500", a line each.
  std::string said() const {
    std::string text;
    for (const Incident& one : given_) {
      text += "query " + std::to_string(one.query) + ": " + std::to_string(one.temp_bytes) +
              " bytes, " + std::to_string(one.started_at.time_since_epoch().count() / 1000) +
              " to " + std::to_string(one.at.time_since_epoch().count() / 1000) + "\n";
    }
    return text;
  }

  std::vector<Incident> given_;
  TempFileLinker linker_{[this](const Incident& incident) { given_.push_back(incident); }};
};

TEST_F(TempFileLinkerTest, FilesOfAStatementAreOne) {
  file(1, 5, 490);
  file(2, 6, 491);
  file(1, 5, 495, 200);
  EXPECT_EQ(said(), "");
  run(1, 5, 0, 500);
  EXPECT_EQ(said(), "query 5: 300 bytes, 0 to 500\n");
  EXPECT_EQ(given_[0].trace_id, (TraceId{0, 7}));
  EXPECT_EQ(given_[0].route, 3U);
  run(1, 5, 600, 700);
  linker_.finish();
  EXPECT_EQ(said(), "query 5: 300 bytes, 0 to 500\nquery 6: 100 bytes, 491 to 491\n");
}

TEST_F(TempFileLinkerTest, FilesOfParallelWorkersAreTheirStatements) {
  worker(101, 5, 400, 1000);
  worker(102, 5, 401, 2000);
  worker(103, 6, 402, 4000);
  file(1, 5, 490);
  run(2, 7, 300, 450);
  run(1, 5, 0, 500);
  EXPECT_EQ(said(), "query 5: 3100 bytes, 0 to 500\n");
  run(3, 6, 0, 510);  // which wrote none itself
  ASSERT_EQ(given_.size(), 2U);
  EXPECT_EQ(given_[1].temp_bytes, 4000U);
  EXPECT_EQ(given_[1].pid, 3);
  EXPECT_FALSE(given_[1].of_worker);
  worker(104, 6, 700, 8000);
  run(3, 6, 800, 900);  // after it
  run(4, 6, 11'000, 11'001);
  EXPECT_EQ(given_.size(), 3U) << "its statement was not logged";
  EXPECT_EQ(given_.back().temp_bytes, 8000U);
  worker(105, 6, 12'000, 1);
  linker_.finish();
  EXPECT_EQ(given_.size(), 4U);
}

TEST_F(TempFileLinkerTest, ItsStatementIsTheOneThatWasUnderWay) {
  file(1, kNoQuery, 490);
  run(1, 5, 0, 500);
  file(1, 5, 1000);
  run(1, 6, 900, 1100);
  file(1, 5, 2000);
  run(1, 5, 2002, 2100);
  EXPECT_EQ(said(),
            "query 5: 100 bytes, 0 to 500\n"
            "query 5: 100 bytes, 1000 to 1000\n"
            "query 5: 100 bytes, 2000 to 2000\n");
}

TEST_F(TempFileLinkerTest, NextStatementEndsIt) {
  file(1, 5, 100);
  file(1, 6, 200);
  EXPECT_EQ(said(), "query 5: 100 bytes, 100 to 100\n");
}

TEST_F(TempFileLinkerTest, WaitsNotForEver) {
  file(1, 5, 100);
  run(2, 5, 10'000, 10'100);
  EXPECT_EQ(said(), "");
  run(2, 5, 10'000, 10'101);
  EXPECT_EQ(said(), "query 5: 100 bytes, 100 to 100\n");
}

TEST_F(TempFileLinkerTest, KeepsBoundedly) {
  for (int32_t pid = 1; pid <= 1024; ++pid)
    file(pid, 5, 100 + pid);
  EXPECT_EQ(given_.size(), 0U);
  file(2000, 5, 1200);
  ASSERT_EQ(given_.size(), 1U);
  EXPECT_EQ(given_[0].pid, 1) << "the oldest";
}

TEST_F(TempFileLinkerTest, WithoutItsBackendAFileStandsForItself) {
  file(0, 5, 100);
  file(0, 5, 101);
  EXPECT_EQ(given_.size(), 2U);
}

}  // namespace
}  // namespace ectoscope
