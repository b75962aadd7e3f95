#include "daemon/source_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Fate = SourceProgress::Fate;

EventTime second(int64_t number) {
  return EventTime(std::chrono::seconds(number));
}

uint64_t at(uint64_t offset) {
  return LogPosition::of(1, offset);
}

SourceBatch batch(uint64_t read_to, std::vector<TimeMark> marks = {}) {
  SourceBatch batch;
  FollowedFile file;
  file.number = 1;
  file.read_to = read_to;
  batch.files = {file};
  batch.marks = std::move(marks);
  return batch;
}

SourceCheckpoint stopped_at(uint64_t read_to, uint64_t resume_at, std::vector<uint64_t> uncounted,
                            std::vector<uint64_t> open) {
  SourceCheckpoint checkpoint;
  checkpoint.files.push_back({1, {}, 0, 0, read_to, resume_at, false, false});
  checkpoint.uncounted = std::move(uncounted);
  checkpoint.open = std::move(open);
  return checkpoint;
}

TEST(SourceProgress, ResumesBeforeWhatIsStillNeeded) {
  SourceProgress progress{SourceCheckpoint{}};
  progress.take(batch(900, {{1, 0, EventTime::min()}, {1, 300, second(10)}, {1, 600, second(20)}}));
  EXPECT_EQ(progress.checkpoint({}, second(15)).files.at(0).resume_at, 300U);
  EXPECT_EQ(progress.checkpoint({}, second(5)).files.at(0).resume_at, 0U);
  EXPECT_EQ(progress.checkpoint({}, second(25)).files.at(0).resume_at, 600U);
  EXPECT_EQ(progress.checkpoint({}, second(25)).files.at(0).read_to, 900U);
}

TEST(SourceProgress, CountsOnlyWhatWasNotCounted) {
  SourceProgress progress(stopped_at(500, 100, {at(400)}, {at(200), at(300)}));
  EXPECT_EQ(progress.fate(at(100)), Fate::kKnown);
  EXPECT_EQ(progress.fate(at(200)), Fate::kOpen);
  EXPECT_EQ(progress.fate(at(400)), Fate::kNew);
  EXPECT_EQ(progress.fate(at(500)), Fate::kNew);
  EXPECT_EQ(progress.fate(LogPosition::of(2, 50)), Fate::kNew) << "another file";
}

TEST(SourceProgress, KilledAgainWhileCatchingUpItLosesNothing) {
  SourceProgress progress(stopped_at(500, 100, {at(400)}, {at(200), at(300)}));
  EXPECT_EQ(progress.fate(at(200)), Fate::kOpen);
  progress.take(batch(250));
  const std::vector<uint64_t> open = {at(200)};
  const SourceCheckpoint again = progress.checkpoint(open, second(0));
  EXPECT_EQ(again.files.at(0).read_to, 500U);
  EXPECT_EQ(again.files.at(0).resume_at, 100U);
  EXPECT_THAT(again.uncounted, ElementsAre(at(400)));
  EXPECT_THAT(again.open, ElementsAre(at(200), at(300)));
}

TEST(SourceProgress, WhatTheLogNoLongerHoldsIsCountedAsLost) {
  SourceProgress progress(stopped_at(500, 100, {at(400)}, {at(200)}));
  progress.take(batch(600));
  EXPECT_EQ(progress.lost(), 2U);
  EXPECT_EQ(progress.fate(at(450)), Fate::kNew) << "the old place is passed";
}

TEST(SourceProgress, HeldExecutionsAreNotCountedYet) {
  SourceProgress progress{SourceCheckpoint{}};
  SourceBatch some = batch(900);
  some.held = {at(800), at(700)};
  progress.take(some);
  EXPECT_THAT(progress.checkpoint({}, second(0)).uncounted, ElementsAre(at(700), at(800)));
  EXPECT_THAT(progress.checkpoint({}, second(0)).open, IsEmpty());
}

}  // namespace
}  // namespace ectoscope
