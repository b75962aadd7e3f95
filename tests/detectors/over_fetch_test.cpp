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

}  // namespace
}  // namespace ectoscope
