#include "plan_maker.h"

namespace ectoscope {
namespace {

using Type = PlanNodeType;

const Query kUsers = by(select_all("users"), "email");

PlanMaker scan() {
  return PlanMaker().node(Type::kSeqScan, {.found = 1, .removed = 99'999}, "users");
}

void function(PlanCondition& it) {
  it.function = true;
  it.expression = "lower((email)::text)";
}
auto inside(const char* expression) {
  return [expression](PlanCondition& it) {
    it.function = true;
    it.expression = expression;
  };
}
void to_bigint(PlanCondition& it) {
  it.cast_to = "bigint";
}
void to_text(PlanCondition& it) {
  it.cast_to = "text";
}
void leading(PlanCondition& it) {
  it.pattern = PlanPattern::kLeading;
}

TEST(UnindexablePredicate, WhatNoIndexServes) {
  const PlanCase cases[] = {
      {"a function", scan().where("email").but(function), true},
      {"a cast", scan().where("ref").but(to_bigint), true},
      {"varchar compared as text is no cast", scan().where("ref").but(to_text), false},
      {"a leading wildcard", scan().where("title", "~~").but(leading), true},
      {"ILIKE, whatever the pattern", scan().where("title", "~~*").but([](PlanCondition& it) {
         it.pattern = PlanPattern::kPrefix;
       }),
       true},
      {"LIKE 'abc%'", scan().where("title", "~~").but([](PlanCondition& it) {
         it.pattern = PlanPattern::kPrefix;
       }),
       false},
      {"a bare column", scan().where("email"), false},
      {"a range beside a cast does not save it",
       scan().where("id", "<=").where("ref").but(to_bigint), true},
      {"a key beside it does", scan().where("org_id").where("email").but(function), false},
      {"an equality beside a pattern does",
       scan().where("status").where("title", "~~").but(leading), false},
      {"too fast", scan().where("email").but(function), false, Micros(9'999)},
      {"few rows",
       PlanMaker()
           .node(Type::kSeqScan, {.found = 1, .removed = 9'999}, "users")
           .where("email")
           .but(function),
       false},
      {"a value among those of an array", scan().where("tags", "= ANY"), true},
      {"an equality beside it does", scan().where("status").where("tags", "= ANY"), false},
      {"a search in two columns", scan().either("name", "~~*").either("email", "~~*"), true},
      {"one of them by equality", scan().either("name", "~~*").either("id", "="), false},
      {"a key beside the search does",
       scan().where("org_id").either("name", "~~*").either("email", "~~*"), false},
      {"NOT LIKE would not use one either", scan().where("title", "!~~").but(leading), false},
  };
  expect_found("unindexable_predicate", kUsers, cases);
}

TEST(UnindexablePredicate, AnExplicitCastToTextIsOne) {
  Query query = kUsers;
  query.predicates.push_back({"users", "id", "=", 1, false, true, false});
  Probe probe("unindexable_predicate");
  probe.explain(scan().where("id").but(to_text).make(), ran(query), query);
  EXPECT_EQ(probe.observations.size(), 1U);
}

TEST(UnindexablePredicate, EachHasItsRemedy) {
  const auto remedy = [](const PlanMaker& plan) {
    Probe probe("unindexable_predicate");
    probe.explain(plan.make(), ran(kUsers), kUsers);
    return probe.observations.at(0).remedy;
  };
  EXPECT_EQ(remedy(scan().where("email").but(function)), Remedy::kExpressionIndex);
  EXPECT_EQ(remedy(scan().where("ref").but(to_bigint)), Remedy::kRewritePredicate);
  EXPECT_EQ(remedy(scan().where("title", "~~*").but(leading)), Remedy::kTrigramIndex);
  EXPECT_EQ(remedy(scan().where("at").but(inside("date(at)"))), Remedy::kRewritePredicate);
  EXPECT_EQ(remedy(scan().where("a").but(inside("(a + ?)"))), Remedy::kRewritePredicate);
  EXPECT_EQ(remedy(scan().where("tags", "= ANY")), Remedy::kInsideIndex);
  EXPECT_EQ(remedy(scan().where("meta").but(inside("(meta ->> ?)"))), Remedy::kInsideIndex);
  EXPECT_EQ(remedy(scan().where("meta", "<").but(inside("(meta ->> ?)"))),
            Remedy::kExpressionIndex);
  EXPECT_EQ(remedy(scan().where("meta").but(inside("lower((meta ->> ?))"))),
            Remedy::kExpressionIndex);
  EXPECT_EQ(remedy(scan().where("body", "@@").but(inside("to_tsvector(?, body)"))),
            Remedy::kInsideIndex);
}

TEST(UnindexablePredicate, ASearchNamesAllItsColumns) {
  Probe probe("unindexable_predicate");
  probe.explain(scan().either("name", "~~*").either("email", "~~*").make(), ran(kUsers), kUsers);
  ASSERT_EQ(probe.observations.size(), 1U);
  EXPECT_EQ(probe.observations[0].columns, (std::vector<std::string>{"users.name", "users.email"}));
  EXPECT_EQ(probe.observations[0].remedy, Remedy::kTrigramIndex);
}

}  // namespace
}  // namespace ectoscope
