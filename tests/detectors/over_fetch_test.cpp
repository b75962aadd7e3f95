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

TEST(OverFetch, TellsHowLongTheRowsKeptTheirConnection) {
  Probe probe("over_fetch");
  const Query query = select_all("posts");
  const auto at = [&](uint64_t session, int ms) {
    Execution execution = ran(query, Micros(1'000));
    execution.session = session;
    execution.pid = static_cast<int32_t>(session);
    execution.started_at = EventTime(Micros(1'000 * ms));
    execution.ended_at = execution.started_at + execution.duration;
    return execution;
  };
  Execution read_of_many = at(1, 0);
  read_of_many.duration = Micros(100'000);
  read_of_many.ended_at = EventTime(Micros(100'000));
  probe.explain(read(50'000).make(), read_of_many, query);
  for (int ms = 110; ms < 1'000; ms += 10)
    for (const uint64_t other : {2U, 3U, 4U})
      probe.run(at(other, ms), query);
  probe.run(at(1, 1'000), query);

  ASSERT_EQ(probe.amendments.size(), 1U);
  const Amendment& amendment = probe.amendments[0];
  EXPECT_EQ(amendment.query, query.id);
  EXPECT_EQ(amendment.started_at, read_of_many.started_at);
  EXPECT_EQ(amendment.pid, 1);
  EXPECT_EQ(amendment.ended_at, EventTime(Micros(980'000)));
  EXPECT_EQ(amendment.evidence, "connection_held_ms");
  EXPECT_EQ(amendment.value, 880);
}

}  // namespace
}  // namespace ectoscope
