#include "daemon/source_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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

/// Only that it is needed from then on.
SourceProgress::Unsettled from(int64_t seconds) {
  SourceProgress::Unsettled unsettled;
  unsettled.needed = second(seconds);
  return unsettled;
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
  EXPECT_EQ(progress.checkpoint(from(15)).files.at(0).resume_at, 300U);
  EXPECT_EQ(progress.checkpoint(from(5)).files.at(0).resume_at, 0U);
  EXPECT_EQ(progress.checkpoint(from(25)).files.at(0).resume_at, 600U);
  EXPECT_EQ(progress.checkpoint(from(25)).files.at(0).read_to, 900U);
}

TEST(SourceProgress, CountsOnlyWhatWasNotCounted) {
  SourceProgress progress(stopped_at(500, 100, {at(400)}, {at(200), at(300)}));
  EXPECT_TRUE(progress.fate(at(100)).counted);
  EXPECT_FALSE(progress.fate(at(100)).awaits.trace);
  EXPECT_TRUE(progress.fate(at(200)).counted);
  EXPECT_TRUE(progress.fate(at(300)).awaits.trace);
  EXPECT_FALSE(progress.fate(at(400)).counted);
  EXPECT_FALSE(progress.fate(at(500)).counted);
  EXPECT_FALSE(progress.fate(LogPosition::of(2, 50)).counted) << "another file";
}

TEST(SourceProgress, KilledAgainWhileCatchingUpItLosesNothing) {
  SourceProgress progress(stopped_at(500, 100, {at(400)}, {at(200), at(300)}));
  EXPECT_TRUE(progress.fate(at(200)).awaits.trace);
  progress.take(batch(250));
  SourceProgress::Unsettled unsettled = from(0);
  unsettled.open = {at(200)};
  const SourceCheckpoint again = progress.checkpoint(unsettled);
  EXPECT_EQ(again.files.at(0).read_to, 500U);
  EXPECT_EQ(again.files.at(0).resume_at, 100U);
  EXPECT_THAT(again.uncounted, ElementsAre(at(400)));
  EXPECT_THAT(again.open, ElementsAre(at(200), at(300)));
}

TEST(SourceProgress, WhatTheLogNoLongerHoldsIsCountedAsLost) {
  SourceProgress progress(stopped_at(500, 100, {at(400)}, {at(200)}));
  progress.take(batch(600));
  EXPECT_EQ(progress.lost(), 2U);
  EXPECT_FALSE(progress.fate(at(450)).counted) << "the old place is passed";
}

TEST(SourceProgress, WritesThatAwaitOthersAreGroupedWithTheseAlone) {
  SourceCheckpoint before = stopped_at(500, 100, {}, {at(200)});
  before.writes = {at(200), at(300)};
  SourceProgress progress(before);
  progress.take(batch(150));
  EXPECT_THAT(progress.checkpoint(from(0)).writes, ElementsAre(at(200), at(300)));
  const SourceProgress::Fate both = progress.fate(at(200));
  EXPECT_TRUE(both.counted && both.awaits.trace && both.awaits.other_writes);
  const SourceProgress::Fate write = progress.fate(at(300));
  EXPECT_TRUE(write.counted && !write.awaits.trace && write.awaits.other_writes);
  SourceProgress::Unsettled unsettled = from(0);
  unsettled.writes = {at(300), at(200)};
  EXPECT_THAT(progress.checkpoint(unsettled).writes, ElementsAre(at(200), at(300)));
}

TEST(SourceProgress, AnIncidentCountsWhenItIsOver) {
  SourceProgress progress{SourceCheckpoint{}};
  progress.take(batch(900, {{1, 0, EventTime::min()}, {1, 300, second(10)}, {1, 600, second(20)}}));
  SourceProgress::Unsettled unsettled = from(15);
  unsettled.incidents = {at(400)};
  const SourceCheckpoint killed = progress.checkpoint(unsettled);
  EXPECT_THAT(killed.uncounted, ElementsAre(at(400)));
  SourceProgress next(killed);
  EXPECT_FALSE(next.fate(at(400)).counted);
  EXPECT_TRUE(next.fate(at(500)).counted);
  next.take(batch(900));
  EXPECT_THAT(next.checkpoint(unsettled).uncounted, ElementsAre(at(400))) << "it goes on";
  EXPECT_THAT(next.checkpoint(from(25)).uncounted, IsEmpty()) << "it is over";
}

TEST(SourceProgress, HeldExecutionsAreNotCountedYet) {
  SourceProgress progress{SourceCheckpoint{}};
  SourceBatch some = batch(900);
  some.held = {at(800), at(700)};
  progress.take(some);
  EXPECT_THAT(progress.checkpoint(from(0)).uncounted, ElementsAre(at(700), at(800)));
  EXPECT_THAT(progress.checkpoint(from(0)).open, IsEmpty());
}

}  // namespace
}  // namespace ectoscope
