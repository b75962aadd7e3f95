#include <gmock/gmock.h>

#include "plan_maker.h"

namespace ectoscope {
namespace {

using Type = PlanNodeType;

Query parametrised() {
  Query query = by(select_all("orders"), "status");
  query.parameters = 1;
  query.id = 7;
  return query;
}
const Query kOrders = parametrised();

std::shared_ptr<const Plan> generic(double removed = 199'900, double blocks = 2637) {
  return PlanMaker()
      .node(Type::kLimit, {.found = 100, .blocks = blocks})
      .node(Type::kIndexScan, {.found = 100, .removed = removed, .blocks = blocks}, "orders")
      .where("status", "=", PlanOperand::kParameter)
      .whole([](Plan& plan) { plan.values = PlanValues::kGeneric; })
      .make();
}

/// Some runs of `usual`, then one under the plan.
size_t found(size_t before, Micros usual, const std::shared_ptr<const Plan>& plan, Micros slow) {
  Probe probe("plan_flip");
  for (size_t i = 0; i < before; ++i)
    probe.run(ran(kOrders, usual), kOrders);
  probe.explain(plan, ran(kOrders, slow, Execution::kHasPlan), kOrders);
  return probe.observations.size();
}

TEST(PlanFlip, TurnedGenericAndSlower) {
  EXPECT_EQ(found(5, Micros(600), generic(), Micros(60'000)), 1U);
  EXPECT_EQ(found(2, Micros(600), generic(), Micros(60'000)), 0U)
      << "too few to know what is usual";
  EXPECT_EQ(found(5, Micros(15'000), generic(), Micros(60'000)), 1U) << "four times as long";
  EXPECT_EQ(found(5, Micros(15'001), generic(), Micros(60'000)), 0U) << "not quite";
  EXPECT_EQ(found(5, Micros(600), generic(), Micros(9'999)), 0U) << "too fast to matter";
}

TEST(PlanFlip, ALookUpThatWaitedIsNone) {
  EXPECT_EQ(found(5, Micros(100), generic(0, 4), Micros(200'000)), 0U);
  EXPECT_EQ(found(5, Micros(100), generic(0, 1000), Micros(200'000)), 1U) << "a thousand blocks";
}

TEST(PlanFlip, ASlowRunUnderItIsNoUsualOne) {
  Probe probe("plan_flip");
  for (size_t i = 0; i < 5; ++i)
    probe.run(ran(kOrders, Micros(600)), kOrders);
  for (size_t i = 0; i < 30; ++i)
    probe.explain(generic(), ran(kOrders, Micros(60'000), Execution::kHasPlan), kOrders);
  EXPECT_EQ(probe.observations.size(), 30U);
}

PlanMaker custom(Type join, double expected, double rows) {
  return PlanMaker()
      .node(join, {.found = rows})
      .node(Type::kIndexScan, {.found = rows, .expected = expected}, "import_rows")
      .index_on("batch");
}

TEST(PlanFlip, PlannedOnBadEstimates) {
  const auto bad = custom(Type::kNestedLoop, 1, 225'001).make();
  const auto good = custom(Type::kHashJoin, 224'854, 225'001).make();
  Probe worse("plan_flip");
  for (int i = 0; i < 3; ++i)
    worse.explain(good, ran(kOrders, Micros(70'000)), kOrders);
  for (int i = 0; i < 3; ++i)
    worse.explain(bad, ran(kOrders, Micros(200'000)), kOrders);
  ASSERT_EQ(worse.observations.size(), 3U) << "each run under the bad plan";
  EXPECT_EQ(worse.observations[0].table, "import_rows");
  EXPECT_EQ(worse.observations[0].remedy, Remedy::kAnalyze);

  Probe better("plan_flip");
  for (int i = 0; i < 3; ++i)
    better.explain(bad, ran(kOrders, Micros(200'000)), kOrders);
  for (int i = 0; i < 3; ++i)
    better.explain(good, ran(kOrders, Micros(70'000)), kOrders);
  ASSERT_EQ(better.observations.size(), 1U) << "the change for the better, once";
  EXPECT_EQ(better.observations[0].severity, Severity::kInfo);
}

TEST(PlanFlip, CustomPlansDifferWithTheirValues) {
  const auto few = custom(Type::kNestedLoop, 10, 10).make();
  const auto many = custom(Type::kHashJoin, 200'000, 200'000).make();
  Probe probe("plan_flip");
  for (int i = 0; i < 20; ++i) {
    probe.explain(few, ran(kOrders, Micros(20'000)), kOrders);
    probe.explain(many, ran(kOrders, Micros(300'000)), kOrders);
  }
  EXPECT_TRUE(probe.observations.empty());
}

TEST(PlanFlip, RemembersABoundedNumberOfShapes) {
  Probe probe("plan_flip");
  Query query = kOrders;
  for (QueryId id = 1; id <= 5000; ++id) {
    query.id = id * 1000;  // far beyond the shapes that are timed
    probe.explain(custom(Type::kHashJoin, 1, 1).make(), ran(query), query);
  }
  EXPECT_TRUE(probe.observations.empty());
}

}  // namespace
}  // namespace ectoscope
