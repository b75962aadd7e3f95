#include <array>

#include <gmock/gmock.h>

#include "plan_maker.h"

namespace ectoscope {
namespace {

using Type = PlanNodeType;
using testing::ElementsAre;
using testing::IsEmpty;

const Query kItems = by(select_all("order_items"), "order_id");

PlanMaker scan(double found, double removed) {
  return PlanMaker().node(Type::kSeqScan, {.found = found, .removed = removed}, "order_items");
}

TEST(MissingIndex, SequentialScans) {
  const PlanCase cases[] = {
      {"at both thresholds", scan(101, 10'000).where("order_id"), true},
      {"one row short of the rows", scan(1, 9'999).where("order_id"), false},
      {"keeps more than one in a hundred", scan(200, 10'000).where("order_id"), false},
      {"nothing kept at all", scan(0, 800'000).where("order_id"), true},
      {"a microsecond too fast", scan(1, 50'000).where("order_id"), false, Micros(9'999)},
      {"<> is nothing for an index", scan(1, 50'000).where("status", "<>"), false},
      {"a range", scan(1, 50'000).where("inserted_at", ">"), true},
      {"a list of values",
       scan(1, 50'000).where("order_id").but([](PlanCondition& it) { it.list = true; }), true},
      {"a function of the column is unindexable_predicate's",
       scan(1, 50'000).where("email").but([](PlanCondition& it) { it.function = true; }), false},
      {"but a key beside it is an index's",
       scan(1, 50'000).where("order_id").where("email").but([](PlanCondition& it) {
         it.function = true;
       }),
       true},
      {"varchar compared as text",
       scan(1, 50'000).where("ref").but([](PlanCondition& it) { it.cast_to = "text"; }), true},
      {"only an OR", scan(1, 50'000), false},
      {"another table's column",
       scan(1, 50'000).where("id").but([](PlanCondition& it) { it.qualifier = "o"; }), false},
      {"what stands inside a column", scan(1, 50'000).where("tags", "@>"), true},
      {"but not where the column stands", scan(1, 50'000).where("at", "<@"), false},
      {"IS NULL alone", scan(1, 50'000).where("sent_at", "IS NULL", PlanOperand::kNone), true},
      {"an index scan is wrong_index's",
       PlanMaker()
           .node(Type::kIndexScan, {.found = 1, .removed = 50'000}, "order_items")
           .where("order_id"),
       false},
      {"below a join and an aggregate",
       PlanMaker()
           .node(Type::kAggregate, {.found = 1})
           .node(Type::kHashJoin, {.found = 3})
           .node(Type::kSeqScan, {.found = 3, .removed = 800'000}, "order_items")
           .where("order_id"),
       true},
  };
  expect_found("missing_index", kItems, cases);
}

TEST(MissingIndex, TellsWhatMissedByLittle) {
  const auto key = [](PlanMaker plan) { return plan.where("order_id"); };
  const auto told = [&](const PlanMaker& plan, Micros duration = Micros(100'000)) {
    return nearly("missing_index", kItems, plan, duration);
  };
  EXPECT_EQ(told(key(scan(1, 9'999))), "min_removed_rows 9999 of 1e+04");
  EXPECT_EQ(told(key(scan(1, 4'999))), "");
  EXPECT_EQ(told(key(scan(150, 10'000))), "min_removed_ratio 0.9852 of 0.99");
  EXPECT_EQ(told(key(scan(300, 10'000))), "");
  EXPECT_EQ(told(key(scan(1, 50'000)), Micros(9'999)), "min_duration 9999 of 1e+04");
  EXPECT_EQ(told(key(scan(1, 50'000)), Micros(4'999)), "");
  EXPECT_EQ(told(scan(1, 9'999).where("email").but([](PlanCondition& it) { it.function = true; })),
            "")
      << "unindexable_predicate's";
}

TEST(MissingIndex, SaysWhereAndHowMuch) {
  Probe probe("missing_index");
  probe.explain(scan(3, 800'000).where("order_id").make(), ran(kItems), kItems);
  ASSERT_EQ(probe.observations.size(), 1U);
  const Observation& one = probe.observations[0];
  EXPECT_EQ(one.table, "order_items");
  EXPECT_THAT(one.columns, ElementsAre("order_items.order_id"));
  EXPECT_EQ(one.evidence.at("rows_removed"), 800'000);
  EXPECT_EQ(one.remedy, Remedy::kAddIndex);
  EXPECT_EQ(one.severity, Severity::kWarning);
  EXPECT_NE(one.plan, nullptr);
}

TEST(MissingIndex, WhatStandsInsideAColumnNeedsAnotherKindOfIndex) {
  const auto remedy = [](const PlanMaker& plan) {
    Probe probe("missing_index");
    probe.explain(plan.make(), ran(kItems), kItems);
    return probe.observations.at(0).remedy;
  };
  EXPECT_EQ(remedy(scan(1, 50'000).where("tags", "@>")), Remedy::kInsideIndex);
  EXPECT_EQ(
      remedy(
          scan(1, 50'000).where("deleted_at", "IS NULL", PlanOperand::kNone).where("tags", "&&")),
      Remedy::kInsideIndex);
  EXPECT_EQ(remedy(scan(1, 50'000).where("tags", "@>").where("order_id")), Remedy::kAddIndex)
      << "the key does more";
}

/// The first of so many rows by the time, as an index on the state found them.
PlanMaker first_of(double found, double wanted) {
  return PlanMaker()
      .node(Type::kLimit, {.found = wanted})
      .node(Type::kSort, {.found = wanted})
      .whole([](Plan& it) { it.nodes.back().sort_key = {"r0.at DESC"}; })
      .node(Type::kBitmapHeapScan, {.found = found}, "rides");
}

TEST(MissingIndex, ManyRowsSortedForTheFirstFew) {
  Query query = select_all("rides");
  query.has_limit = true;
  query.order_by = {{"rides", "at", true}};
  const PlanCase cases[] = {
      {"ten thousand in vain", first_of(10'020, 20), true},
      {"one less", first_of(10'019, 20), false},
      {"more than one in a hundred is wanted", first_of(10'020, 102), false},
      {"of one state", first_of(50'000, 20).where("state"), true},
      {"of what is not deleted",
       first_of(50'000, 20).where("deleted_at", "IS NULL", PlanOperand::kNone), true},
      {"since a time", first_of(50'000, 20).where("at", ">"), true},
      {"a range of something else: its index has another order",
       first_of(50'000, 20).where("fare", ">"), false},
      {"several states",
       first_of(50'000, 20).where("state").but([](PlanCondition& it) { it.list = true; }), false},
      {"too fast", first_of(50'000, 20), false, Micros(9'999)},
      {"by an expression",
       first_of(50'000, 20).whole([](Plan& it) { it.nodes[1].sort_key = {"(lower(name))"}; }),
       false},
      {"by a joined table's column, too", first_of(50'000, 20).whole([](Plan& it) {
         it.nodes[1].sort_key = {"r0.at", "d1.name"};
       }),
       false},
      {"sorted by each worker",
       PlanMaker()
           .node(Type::kLimit, {.found = 20})
           .node(Type::kGatherMerge, {.found = 60})
           .node(Type::kSort, {.found = 60})
           .whole([](Plan& it) { it.nodes.back().sort_key = {"at DESC"}; })
           .node(Type::kSeqScan, {.found = 50'000}, "rides"),
       true},
      {"all of them are wanted",
       first_of(50'000, 20).whole([](Plan& it) { it.nodes[0].type = Type::kMaterialize; }), false},
  };
  expect_found("missing_index", query, cases);
  query.aggregate = true;
  expect_found("missing_index", query,
               std::array{PlanCase{"a figure", first_of(50'000, 20), false}});

  query.aggregate = false;
  Probe probe("missing_index");
  probe.explain(first_of(50'000, 20).where("state").make(), ran(query), query);
  ASSERT_EQ(probe.observations.size(), 1U);
  EXPECT_EQ(probe.observations[0].evidence.at("rows_sorted"), 50'000);
  EXPECT_THAT(probe.observations[0].columns, ElementsAre("rides.state", "rides.at"));
  EXPECT_EQ(probe.observations[0].remedy, Remedy::kAddIndex);
  EXPECT_EQ(nearly("missing_index", query, first_of(9'000, 20)), "min_removed_rows 8980 of 1e+04");
}

/// Two partitions and the default one, as PostgreSQL names them in a plan.
PlanMaker partitions(double removed_of_each) {
  PlanMaker plan;
  plan.node(Type::kAppend);
  int number = 0;
  for (const char* name : {"pings_2026_01", "pings_2026_02", "pings_rest"}) {
    plan.node(Type::kSeqScan, {.found = 1, .removed = removed_of_each}, name).where("vehicle_no");
    plan.whole([&](Plan& it) { it.nodes.back().alias = "p0_" + std::to_string(++number); });
  }
  return plan;
}

TEST(MissingIndex, PartitionsAreTheirTable) {
  Query query = select_all("pings");
  query.text = "SELECT p0.\"id\" FROM \"pings\" AS p0 WHERE (p0.\"vehicle_no\" = $1)";
  const auto found = [&](const PlanMaker& plan) {
    Probe probe("missing_index");
    probe.explain(plan.make(), ran(query), query);
    return probe.observations;
  };
  EXPECT_THAT(found(partitions(3'000)), IsEmpty());
  const auto observations = found(partitions(4'000));
  ASSERT_EQ(observations.size(), 1U);
  EXPECT_EQ(observations[0].table, "pings");
  EXPECT_THAT(observations[0].columns, ElementsAre("pings.vehicle_no"));
  EXPECT_EQ(observations[0].evidence.at("rows_removed"), 12'000);
  EXPECT_EQ(observations[0].evidence.at("rows_kept"), 3);
  query.text = "SELECT v0.\"id\" FROM \"views\" AS v0 WHERE (v0.\"vehicle_no\" = $1)";
  query.tables = {"views"};
  EXPECT_THAT(found(partitions(4'000)), IsEmpty()) << "tables behind a view are each their own";
  EXPECT_EQ(found(partitions(40'000)).at(0).table, "pings_2026_01");
}

TEST(MissingIndex, FromEstimatesItSaysSoByItsConfidence) {
  const auto estimates = [](double cost) {
    return PlanMaker()
        .node(Type::kSeqScan, {.expected = 1, .loops = 0, .cost = cost}, "order_items")
        .where("order_id")
        .whole([](Plan& plan) { plan.analyzed = false; })
        .make();
  };
  Probe probe("missing_index");
  probe.explain(estimates(5000), ran(kItems), kItems);
  EXPECT_THAT(probe.observations, IsEmpty()) << "a cost that a few thousand rows have";
  probe.explain(estimates(20'000), ran(kItems), kItems);
  ASSERT_EQ(probe.observations.size(), 1U);
  EXPECT_LT(probe.observations[0].confidence, 0.7);
  EXPECT_FALSE(probe.observations[0].evidence.contains("rows_removed"));
}

TEST(MissingIndex, SavesNoMoreThanItsPartOfThePlan) {
  const auto saved = [](bool timed) {
    PlanMaker plan;
    plan.node(Type::kHashJoin, {.found = 3'000})
        .node(Type::kSeqScan, {.found = 1, .removed = 99'999}, "order_items")
        .where("order_id")
        .node(Type::kSeqScan, {.found = 300'000}, "orders")
        .whole([&](Plan& it) {
          it.nodes[2].parent = 0;
          it.nodes[0].timed = timed;
          it.nodes[0].total_ms = 100;
          it.nodes[1].total_ms = 10;
        });
    Probe probe("missing_index");
    probe.explain(plan.make(), ran(kItems), kItems);
    return probe.observations.at(0).saved;
  };
  EXPECT_NEAR(static_cast<double>(saved(false).count()), 25'000, 10) << "a quarter of the rows";
  EXPECT_NEAR(static_cast<double>(saved(true).count()), 10'000, 10) << "a tenth of the time";
}

PlanMaker deletion(PlanTrigger trigger) {
  return PlanMaker().node(Type::kModifyTable, {}, "orders").whole([&](Plan& plan) {
    plan.nodes[0].operation = "Delete";
    plan.triggers.push_back(std::move(trigger));
  });
}

TEST(MissingIndex, UnderAForeignKeysTrigger) {
  const Query query = erase("orders");
  const struct {
    const char* why;
    PlanTrigger trigger;
    const char* column;  // "": found without a column; null: not found
  } cases[] = {
      {"by PostgreSQL's name",
       {"", "order_items_order_id_fkey", "orders", 70, 1},
       "order_items.order_id"},
      {"relation not logged", {"", "order_items_order_id_fkey", "", 70, 1}, "order_items.order_id"},
      {"irregular plural",
       {"", "posts_category_id_fkey", "categories", 70, 1},
       "posts.category_id"},
      {"a name of its own tells no table", {"", "fk_items", "orders", 70, 1}, ""},
      {"a column named otherwise tells none", {"", "posts_author_id_fkey", "users", 70, 1}, ""},
      {"many fast calls: it has its index",
       {"", "order_items_order_id_fkey", "orders", 70, 1000},
       nullptr},
      {"one fast call", {"", "order_items_order_id_fkey", "orders", 4, 1}, nullptr},
      {"no foreign key", {"audit", "", "orders", 70, 1}, nullptr},
  };
  for (const auto& c : cases) {
    Probe probe("missing_index");
    probe.explain(deletion(c.trigger).make(), ran(query), query);
    if (c.column == nullptr) {
      EXPECT_THAT(probe.observations, IsEmpty()) << c.why;
      continue;
    }
    ASSERT_EQ(probe.observations.size(), 1U) << c.why;
    const Observation& one = probe.observations[0];
    EXPECT_EQ(one.columns.empty() ? "" : one.columns[0], c.column) << c.why;
    EXPECT_EQ(one.index.has_value(), !one.columns.empty()) << c.why;
    EXPECT_EQ(one.evidence.at("trigger_ms"), 70) << c.why;
  }
}

/// Deletes of one order by its key: `before` of them, each so long, then one whose trigger is slow.
size_t found_after(int before, Micros each, const Query& query, double trigger_ms = 70) {
  Probe probe("missing_index");
  for (int i = 0; i < before; ++i)
    probe.run(ran(query, each), query);
  const PlanTrigger trigger{"", "order_items_order_id_fkey", "orders", trigger_ms, 1};
  probe.explain(deletion(trigger).make(), ran(query), query);
  EXPECT_EQ(probe.observations.size() + probe.near_misses.size(), 1U);
  return probe.observations.size();
}

TEST(MissingIndex, ATriggerThatIsSlowForSomeRowsAloneHasItsIndex) {
  const Query by_id = by(erase("orders"), "id");
  EXPECT_EQ(found_after(9, Micros(900), by_id), 0U) << "most have few items, this one has many";
  EXPECT_EQ(found_after(2, Micros(900), by_id), 1U) << "too few to tell";
  EXPECT_EQ(found_after(9, Micros(60'000), by_id), 1U) << "a scan takes each about as long";
  EXPECT_EQ(found_after(9, Micros(900), erase("orders")), 1U)
      << "without a key: most may have had no row to delete";
  EXPECT_EQ(found_after(0, Micros(0), by_id, 4.9 + 5.2), 1U);
}

TEST(MissingIndex, ACascadeIsHealthySoonAfterItsIndexIsMade) {
  const Query by_id = by(erase("orders"), "id");
  Probe probe("missing_index");
  const auto run = [&](double ms, int times) {
    const PlanTrigger trigger{"", "order_items_order_id_fkey", "orders", ms, 1};
    for (int i = 0; i < times; ++i)
      probe.explain(deletion(trigger).make(), ran(by_id, Micros(int64_t(ms * 1000))), by_id);
    return std::exchange(probe.observations, {}).size();
  };
  EXPECT_EQ(run(120, 20), 20U) << "each scans all of order_items";
  EXPECT_EQ(run(1, 200), 0U) << "five hundred items of one order, by the index";
  EXPECT_EQ(run(30, 3), 0U) << "the same from a cold disk";
}

}  // namespace
}  // namespace ectoscope
