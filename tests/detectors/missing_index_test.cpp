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

}  // namespace
}  // namespace ectoscope
