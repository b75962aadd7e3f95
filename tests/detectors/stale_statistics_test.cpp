#include <gmock/gmock.h>

#include "plan_maker.h"

namespace ectoscope {
namespace {

using Type = PlanNodeType;

const Query kRows = by(select_all("import_rows"), "batch");

PlanMaker scan(double expected, double found, double loops = 1) {
  return PlanMaker()
      .node(Type::kAggregate, {.found = 1})
      .node(Type::kIndexScan, {.found = found, .expected = expected, .loops = loops}, "import_rows")
      .index_on("batch");
}

TEST(StaleStatistics, Estimates) {
  const PlanCase cases[] = {
      {"a hundred times more", scan(10, 1000), true},
      {"just below a hundred times", scan(10, 999), false},
      {"a hundred times fewer", scan(100'000, 1000), true},
      {"no row at all counts as one", scan(1000, 0), true},
      {"few rows on both sides", scan(1, 999), false},
      {"right in each of many loops", scan(10, 100'000, 10'000), false},
      {"too fast", scan(1, 225'001), false, Micros(9'999)},
      {"a LIMIT stopped it",
       PlanMaker()
           .node(Type::kLimit, {.found = 10})
           .node(Type::kIndexScan, {.found = 10, .expected = 100'000}, "import_rows")
           .index_on("batch"),
       false},
      {"more than expected below a LIMIT is wrong all the same",
       PlanMaker()
           .node(Type::kLimit, {.found = 10})
           .node(Type::kSeqScan, {.found = 100'000, .expected = 10}, "import_rows")
           .where("batch"),
       true},
      {"an expression has no statistics",
       scan(100'000, 1).but([](PlanCondition& it) { it.function = true; }), false},
      {"nor has a pattern",
       scan(100'000, 1).but([](PlanCondition& it) { it.pattern = PlanPattern::kLeading; }), false},
      {"a generic plan does not know the value",
       scan(1, 225'001).whole([](Plan& plan) { plan.values = PlanValues::kGeneric; }), false},
      {"a join's rows are no scan's",
       PlanMaker().node(Type::kNestedLoop, {.found = 100'000, .expected = 1}), false},
  };
  expect_found("stale_statistics", kRows, cases);
}

TEST(StaleStatistics, NamesTheTable) {
  Probe probe("stale_statistics");
  probe.explain(scan(1, 225'001).make(), ran(kRows), kRows);
  ASSERT_EQ(probe.observations.size(), 1U);
  EXPECT_EQ(probe.observations[0].table, "import_rows");
  EXPECT_THAT(probe.observations[0].columns, testing::ElementsAre("import_rows.batch"));
  EXPECT_EQ(probe.observations[0].evidence.at("max_ratio"), 225'001);
}

}  // namespace
}  // namespace ectoscope
