#include <gmock/gmock.h>

#include "plan_maker.h"

namespace ectoscope {
namespace {

using Type = PlanNodeType;

const Query kEvents = by(select_all("events"), "workspace_id");

PlanMaker walk(double found, double removed, Type type = Type::kIndexScan) {
  return PlanMaker()
      .node(Type::kLimit, {.found = found})
      .node(type, {.found = found, .removed = removed}, "events");
}

/// An index whose first column the condition leaves out.
PlanMaker through(Rows rows) {
  return PlanMaker()
      .node(Type::kLimit, {.found = rows.found})
      .node(Type::kIndexScan, rows, "events")
      .index_on("workspace_id");
}

TEST(WrongIndex, Scans) {
  const PlanCase cases[] = {
      {"walks the primary key for its order", walk(1, 1'200'000).where("workspace_id"), true},
      {"at both thresholds", walk(101, 10'000).where("workspace_id"), true},
      {"a row short", walk(1, 9'999).where("workspace_id"), false},
      {"keeps two in a hundred", walk(200, 10'000).where("workspace_id"), false},
      {"too fast", walk(1, 50'000).where("workspace_id"), false, Micros(9'999)},
      {"by a part of the condition only", walk(1, 50'000).index_on("org_id").where("kind"), true},
      {"a bitmap's heap scan, too",
       walk(1, 50'000, Type::kBitmapHeapScan).index_on("org_id").where("kind"), true},
      {"a sequential scan is missing_index's",
       walk(1, 50'000, Type::kSeqScan).where("workspace_id"), false},
      {"no plain index would do",
       walk(1, 50'000).where("email").but([](PlanCondition& it) { it.function = true; }), false},
      {"read through for lack of its first column",
       through({.found = 1, .expected = 40, .cost = 27'541, .blocks = 4602}), true},
      {"as dear as the planner thought, but few blocks",
       through({.found = 1, .expected = 40, .cost = 27'541, .blocks = 50}), false},
      {"many blocks, but the planner thought it cheap: a bloated index",
       through({.found = 1, .expected = 40, .cost = 300, .blocks = 4602}), false},
      {"many rows", through({.found = 4000, .expected = 4000, .cost = 27'541, .blocks = 4602}),
       false},
      {"many look-ups",
       through({.found = 1000, .expected = 1, .loops = 1000, .cost = 8, .blocks = 4000}), false},
      {"blocks not logged: costs alone",
       through({.found = 1, .expected = 40, .cost = 27'541, .blocks = 0}).whole([](Plan& plan) {
         plan.buffers = false;
       }),
       true},
      {"a look-up that waited for the disk",
       through({.found = 1, .expected = 1, .cost = 8.44, .blocks = 4}), false, Micros(2'000'000)},
  };
  expect_found("wrong_index", kEvents, cases);
}

TEST(WrongIndex, TellsWhatMissedByLittle) {
  const auto told = [](const PlanMaker& plan, Micros duration = Micros(100'000)) {
    return nearly("wrong_index", kEvents, plan, duration);
  };
  EXPECT_EQ(told(walk(1, 9'999).where("workspace_id")), "min_removed_rows 9999 of 1e+04");
  EXPECT_EQ(told(walk(150, 10'000).where("workspace_id")), "min_removed_ratio 0.9852 of 0.99");
  EXPECT_EQ(told(walk(1, 50'000).where("workspace_id"), Micros(9'999)),
            "min_duration 9999 of 1e+04");
  EXPECT_EQ(
      told(through({.found = 1, .expected = 40, .cost = 27'541, .blocks = 4602}), Micros(9'999)),
      "min_duration 9999 of 1e+04");
  EXPECT_EQ(told(walk(1, 9'999, Type::kSeqScan).where("workspace_id")), "") << "missing_index's";
}

TEST(WrongIndex, ColumnsAndSeverity) {
  Probe probe("wrong_index");
  const auto plan = walk(1, 1'200'000).where("workspace_id").make();
  probe.explain(plan, ran(kEvents, Micros(999'999)), kEvents);
  probe.explain(plan, ran(kEvents, Micros(1'000'000)), kEvents);
  EXPECT_EQ(probe.observations[0].severity, Severity::kWarning);
  EXPECT_EQ(probe.observations[1].severity, Severity::kCritical);
  EXPECT_THAT(probe.observations[0].columns, testing::ElementsAre("events.workspace_id"));
  EXPECT_GT(probe.observations[0].saved, Micros(90'000));
}

}  // namespace
}  // namespace ectoscope
