#include "findings/totals_codec.h"

#include <map>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plan.h"

namespace ectoscope {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

EventTime second(int64_t number) {
  return EventTime(std::chrono::seconds(number));
}

/// Shapes 1 and 2 of one process are 11 and 12 of the next.
ShapeTexts texts() {
  return {[](QueryId id) { return "shape " + std::to_string(id); },
          [](const std::string& text) {
            return text == "shape 1" ? QueryId{11} : text == "shape 2" ? QueryId{12} : kNoQuery;
          }};
}

Occurred occurrence(uint64_t repeats, const std::string& route) {
  Occurred occurred;
  Observation& is = occurred.observation;
  is.query = 2;
  is.parent = 1;
  is.severity = Severity::kCritical;
  is.confidence = 0.5;
  is.remedy = Remedy::kPreload;
  is.started_at = second(100);
  is.ended_at = second(100 + static_cast<int64_t>(repeats));
  is.statements = repeats + 1;
  is.repeats = repeats;
  is.excess_statements = repeats - 1;
  is.database_time = Micros(1000);
  is.saved = Micros(900);
  is.evidence = {{"distinct_keys", static_cast<double>(repeats)}, {"max_gap_ms", 3.5}};
  is.table = "posts";
  is.columns = {"posts.user_id"};
  is.constraint = "posts_user_id_fkey";
  is.index = IndexAdvice{"posts", {"user_id", "at"}, {"asc", "desc"}, {"title"}, "state = 1"};
  Example& example = occurred.example;
  example.trace_id = {7, 8};
  example.grouped_by = GroupedBy::kTraceparent;
  example.started_at = is.started_at;
  example.ended_at = is.ended_at;
  example.pids = {3, 4};
  example.statements = is.statements;
  example.duration = is.ended_at - is.started_at;
  example.other = {{9, 10}, {5}};
  occurred.application = "shop";
  occurred.route = route;
  occurred.place = "lib/shop.ex:7";
  occurred.timeline = {{1, Micros(0), Micros(10)}, {2, Micros(20), Micros(30)}};
  return occurred;
}

FindingTotals two_occurrences() {
  FindingTotals totals(5);
  totals.add(occurrence(10, "UserController.index"));
  totals.add(occurrence(20, "UserController.show"));
  Occurred execution = occurrence(1, "");
  execution.timed = true;
  totals.add(execution);
  return totals;
}

TEST(TotalsCodec, AnotherProcessReadsTheSame) {
  const FindingTotals totals = two_occurrences();
  Finding before;
  totals.fill(before);
  const auto again = TotalsCodec::decode(TotalsCodec::encode(totals, texts()), 5, texts());
  ASSERT_TRUE(again.has_value());
  Finding after;
  again->fill(after);
  EXPECT_EQ(after.occurrences, 3U);
  EXPECT_EQ(after.severity, before.severity);
  EXPECT_EQ(after.confidence, before.confidence);
  EXPECT_EQ(after.first_seen, before.first_seen);
  EXPECT_EQ(after.last_seen, before.last_seen);
  EXPECT_EQ(after.statements, before.statements);
  EXPECT_EQ(after.excess_statements, before.excess_statements);
  EXPECT_EQ(after.database_time, before.database_time);
  EXPECT_EQ(after.saved, before.saved);
  EXPECT_EQ(after.evidence, before.evidence) << "percentiles included";
  EXPECT_EQ(after.applications, before.applications);
  ASSERT_EQ(after.routes.size(), before.routes.size());
  ASSERT_THAT(after.examples, SizeIs(3));
  EXPECT_EQ(after.examples[0].statements, 21U) << "the worst first";
  EXPECT_EQ(after.examples[0].trace_id, (TraceId{7, 8}));
  EXPECT_EQ(after.examples[0].other.trace_id, (TraceId{9, 10}));
  EXPECT_THAT(after.examples[0].other.pids, ElementsAre(5));
  EXPECT_THAT(after.examples[0].pids, ElementsAre(3, 4));
  ASSERT_THAT(after.timeline, SizeIs(2));
  EXPECT_EQ(after.timeline[0].query, 11U) << "by its text";
  EXPECT_EQ(after.timeline[1].offset, Micros(20));
}

TEST(TotalsCodec, KeepsWhatTheFixIsMadeFrom) {
  const auto again =
      TotalsCodec::decode(TotalsCodec::encode(two_occurrences(), texts()), 5, texts());
  ASSERT_TRUE(again.has_value());
  const Observation& worst = again->worst();
  EXPECT_EQ(worst.remedy, Remedy::kPreload);
  EXPECT_EQ(worst.repeats, 20U);
  EXPECT_EQ(worst.table, "posts");
  EXPECT_EQ(worst.constraint, "posts_user_id_fkey");
  ASSERT_TRUE(worst.index.has_value());
  EXPECT_THAT(worst.index->columns, ElementsAre("user_id", "at"));
  EXPECT_THAT(worst.index->order, ElementsAre("asc", "desc"));
  EXPECT_EQ(worst.index->where, "state = 1");
}

TEST(TotalsCodec, APlanIsNotKeptAndTheNextOneTaken) {
  Occurred worst = occurrence(9, "/a");
  worst.observation.plan = std::make_shared<const Plan>();
  Occurred lesser = occurrence(5, "/a");
  const auto restarted = [](const FindingTotals& totals) {
    const std::string text = TotalsCodec::encode(totals, texts());
    return TotalsCodec::decode(text, 10, texts()).value();
  };
  FindingTotals totals(10);
  totals.add(worst);
  totals = restarted(restarted(totals));
  EXPECT_EQ(totals.worst().plan, nullptr);
  totals.add(lesser);
  EXPECT_EQ(totals.worst().repeats, 9U) << "it has no plan either";
  lesser.observation.plan = worst.observation.plan;
  totals.add(lesser);
  EXPECT_EQ(totals.worst().repeats, 5U);
  EXPECT_NE(totals.worst().plan, nullptr);

  FindingTotals unplanned(10);
  unplanned.add(occurrence(9, "/a"));
  unplanned = restarted(unplanned);
  unplanned.add(lesser);
  EXPECT_EQ(unplanned.worst().repeats, 9U) << "there was none to lose";
}

TEST(TotalsCodec, GoesOnCounting) {
  auto again = TotalsCodec::decode(TotalsCodec::encode(two_occurrences(), texts()), 5, texts());
  ASSERT_TRUE(again.has_value());
  again->add(occurrence(30, "UserController.index"));
  Finding finding;
  again->fill(finding);
  EXPECT_EQ(finding.occurrences, 4U);
  EXPECT_EQ(finding.examples.at(0).statements, 31U);
}

TEST(TotalsCodec, AShapeThatThereIsNoRoomForIsNone) {
  const ShapeTexts full{texts().text_of, [](const std::string& /*text*/) { return kNoQuery; }};
  const auto again = TotalsCodec::decode(TotalsCodec::encode(two_occurrences(), texts()), 5, full);
  ASSERT_TRUE(again.has_value());
  Finding finding;
  again->fill(finding);
  EXPECT_EQ(finding.timeline.at(0).query, kNoQuery);
}

TEST(TotalsCodec, WhatItDidNotWriteIsNothing) {
  const std::string good = TotalsCodec::encode(two_occurrences(), texts());
  EXPECT_FALSE(TotalsCodec::decode("", 5, texts()));
  EXPECT_FALSE(TotalsCodec::decode("[]", 5, texts()));
  EXPECT_FALSE(TotalsCodec::decode("{}", 5, texts()));
  EXPECT_FALSE(TotalsCodec::decode(good.substr(0, good.size() / 2), 5, texts()));
  std::string wrong = good;
  wrong.replace(wrong.find("\"occurrences\":3"), 15, "\"occurrences\":[]");
  EXPECT_FALSE(TotalsCodec::decode(wrong, 5, texts()));
}

}  // namespace
}  // namespace ectoscope
