// Rows that a join throws away, as missing_index and wrong_index tell of them.
#include "detectors/support/join_waste.h"

#include <gmock/gmock.h>

#include "plan_maker.h"

namespace ectoscope {
namespace {

using Type = PlanNodeType;
using testing::ElementsAre;
using testing::IsEmpty;

Query rides() {
  Query query = select_all("rides");
  query.tables = {"rides", "fleets"};
  query.has_join = true;
  return query;
}

PlanCondition joined_by(const char* alias, const char* column) {
  PlanCondition condition;
  condition.qualifier = alias;
  condition.column = condition.expression = column;
  condition.op = "=";
  condition.operand = PlanOperand::kColumn;
  return condition;
}

struct Sizes {
  double scanned = 50'000;
  double kept = 75;
  double beside = 1;
};

/// `rides r0` read in full and hashed with the few `fleets f1` of a name.
PlanMaker hash_join(Sizes rows = {}) {
  return PlanMaker()
      .node(Type::kHashJoin, {.found = rows.kept})
      .whole([](Plan& plan) {
        plan.nodes[0].join_type = "Inner";
        plan.nodes[0].join_cond.conditions = {joined_by("r0", "fleet_id"), joined_by("f1", "id")};
      })
      .node(Type::kSeqScan, {.found = rows.scanned}, "rides")
      .whole([](Plan& plan) { plan.nodes[1].alias = "r0"; })
      .node(Type::kHash, {.found = rows.beside})
      .whole([](Plan& plan) { plan.nodes[2].parent = 0; })
      .node(Type::kSeqScan, {.found = rows.beside, .removed = 799}, "fleets")
      .whole([](Plan& plan) { plan.nodes[3].alias = "f1"; });
}

TEST(JoinWaste, OfASequentialScan) {
  const auto change = [](auto with) { return hash_join().whole([&](Plan& plan) { with(plan); }); };
  const PlanCase cases[] = {
      {"few of many are kept", hash_join(), true},
      {"9,999 in vain", hash_join({.scanned = 10'074}), false},
      {"10,000", hash_join({.scanned = 10'075}), true},
      {"more than one in a hundred is kept", hash_join({.kept = 501}), false},
      {"the other side has many: to look each up is no gain", hash_join({.beside = 501}), false},
      {"what has no partner is wanted",
       change([](Plan& plan) { plan.nodes[0].join_type = "Anti"; }), false},
      {"EXISTS", change([](Plan& plan) { plan.nodes[0].join_type = "Semi"; }), true},
      {"by an expression",
       change([](Plan& plan) { plan.nodes[0].join_cond.conditions[0].function = true; }), false},
      {"what the join compares is not told",
       change([](Plan& plan) { plan.nodes[0].join_cond.conditions.clear(); }), false},
      {"an aggregate in between", hash_join().whole([](Plan& plan) {
         plan.nodes[1].type = Type::kAggregate;
         plan.nodes[1].relation.clear();
       }),
       false},
      {"an index bounds the scan", change([](Plan& plan) {
         plan.nodes[1].type = Type::kIndexScan;
         plan.nodes[1].index_cond.text = "(state = ?)";
       }),
       false},
      {"too fast", hash_join(), false, Micros(9'999)},
  };
  expect_found("missing_index", rides(), cases);
}

TEST(JoinWaste, TheIndexIsOnWhatTheJoinCompares) {
  Query query = rides();
  Probe probe("missing_index");
  PlanMaker plan = hash_join();
  plan.whole([](Plan& it) {
    PlanCondition state = joined_by("", "state");
    state.operand = PlanOperand::kLiteral;
    it.nodes[1].filter.text = "(state = ?)";
    it.nodes[1].filter.conditions = {state};
    it.nodes[1].removed_by_filter = 1000;
  });
  probe.explain(plan.make(), ran(query), query);
  ASSERT_EQ(probe.observations.size(), 1U);
  const Observation& one = probe.observations[0];
  EXPECT_EQ(one.table, "rides");
  ASSERT_TRUE(one.index.has_value());
  EXPECT_THAT(one.index->columns, ElementsAre("fleet_id", "state"));
  EXPECT_THAT(one.columns, ElementsAre("rides.state", "rides.fleet_id"));
  EXPECT_EQ(one.evidence.at("rows_removed"), 49'925);
  EXPECT_EQ(one.evidence.at("rows_joined"), 75);
  EXPECT_LT(one.confidence, 0.9);
}

/// `rides r0` by an index in the order of `at`, and a look-up of each one's driver.
PlanMaker walk() {
  return PlanMaker()
      .node(Type::kLimit, {.found = 3})
      .node(Type::kNestedLoop, {.found = 3})
      .node(Type::kIndexScan, {.found = 50'000}, "rides")
      .whole([](Plan& plan) { plan.nodes[2].alias = "r0"; })
      .node(Type::kMemoize, {.found = 3, .loops = 50'000})
      .whole([](Plan& plan) { plan.nodes[3].parent = 1; })
      .node(Type::kIndexScan, {.found = 3, .removed = 49'997, .loops = 50'000}, "drivers")
      .where("fleet_id")
      .index_on("driver_id", "=", PlanOperand::kColumn)
      .but([](PlanCondition& it) { it.qualifier = "r0"; })
      .whole([](Plan& plan) { plan.nodes[4].alias = "d1"; });
}

TEST(JoinWaste, OfAnIndexReadForItsOrder) {
  Query query = rides();
  query.tables = {"rides", "drivers"};
  query.has_limit = true;
  query.order_by = {{"rides", "at", true}};
  Probe probe("wrong_index");
  probe.explain(walk().make(), ran(query), query);
  ASSERT_EQ(probe.observations.size(), 1U);
  EXPECT_EQ(probe.observations[0].table, "rides") << "not the look-ups, which are what they should";
  EXPECT_THAT(probe.observations[0].index->columns, ElementsAre("driver_id", "at"));

  Probe other("wrong_index");
  query.order_by.push_back({"drivers", "name", false});
  other.explain(walk().make(), ran(query), query);
  EXPECT_THAT(other.observations.at(0).index->columns, ElementsAre("driver_id"));
}

TEST(JoinWaste, ALookUpThatReadsManyRowsIsItsOwn) {
  Query query = rides();
  query.tables = {"drivers"};
  const auto found = [&](double removed) {
    Probe probe("wrong_index");
    const PlanMaker plan =
        PlanMaker()
            .node(Type::kIndexScan, {.found = 3, .removed = removed, .loops = 200}, "drivers")
            .where("fleet_id")
            .index_on("team_id", "=", PlanOperand::kColumn);
    probe.explain(plan.make(), ran(query), query);
    return probe.observations.size();
  };
  EXPECT_EQ(found(20'000), 1U);
  EXPECT_EQ(found(19'999), 0U) << "fewer than a hundred each";
}

}  // namespace
}  // namespace ectoscope
