// Fixes for what plans show, word for word.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advice/ecto_fix.h"
#include "tests/advice/plans_by_hand.h"

namespace ectoscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Asked {
  Remedy remedy;
  const char* kind;
  Query query;
  Observation worst;
};

Fix fix_for(const Asked& asked) {
  return advise(AdviceRequest{asked.kind, asked.remedy, &asked.query, nullptr, &asked.worst});
}

Observation seen(Plan plan, const std::string& column) {
  Observation worst;
  worst.table = plan.nodes[0].relation;
  worst.columns = {worst.table + "." + column};
  worst.plan = std::make_shared<const Plan>(std::move(plan));
  return worst;
}

TEST(PlanFixes, TheOriginalStory) {
  const Query query = ordered(select("events"), {{"events", "inserted_at", true}});
  const Fix fix = fix_for({Remedy::kAddIndex, "wrong_index", query,
                           seen(scan("events", {condition("workspace_id")}), "workspace_id")});
  EXPECT_EQ(
      fix.advice,
      "Create an index on workspace_id and inserted_at of events: what is compared first, the "
      "order behind it, so that the scan begins at the first match and stops at the last.");
  EXPECT_EQ(fix.migration,
            "defmodule MyApp.Repo.Migrations.AddEventsWorkspaceIdInsertedAtIndex do\n"
            "  use Ecto.Migration\n\n"
            "  @disable_ddl_transaction true\n"
            "  @disable_migration_lock true\n\n"
            "  def change do\n"
            "    create index(:events, [:workspace_id, :inserted_at], concurrently: true)\n"
            "  end\n"
            "end");
  EXPECT_EQ(fix.sql,
            "CREATE INDEX CONCURRENTLY events_workspace_id_inserted_at_index ON events "
            "(workspace_id, inserted_at);");
  ASSERT_TRUE(fix.verified.has_value());
  EXPECT_EQ(fix.verified->by, Verification::By::kPlan);
}

TEST(PlanFixes, Lower) {
  PlanCondition lower = condition("email");
  lower.function = true;
  lower.qualifier = "u0";
  lower.expression = "lower((u0.email)::text)";
  Plan plan = scan("users", {lower});
  plan.nodes[0].alias = "u0";
  const Fix fix = fix_for({Remedy::kExpressionIndex, "unindexable_predicate", select("users"),
                           seen(std::move(plan), "email")});
  EXPECT_EQ(
      fix.advice,
      "Create an index on the expression lower(email) of users: an index on email can't serve "
      "it. Or make the column citext, which compares without case by itself.");
  EXPECT_THAT(fix.migration, HasSubstr("    create index(:users, [\"lower(email)\"], name: "
                                       ":users_lower_email_index, concurrently: true)\n"));
  EXPECT_EQ(fix.sql, "CREATE INDEX CONCURRENTLY users_lower_email_index ON users (lower(email));");
}

TEST(PlanFixes, AnExpressionWithAValueIsTold) {
  PlanCondition json = condition("data");
  json.function = true;
  json.expression = "(data ->> ?)";
  const Fix fix = fix_for({Remedy::kExpressionIndex, "unindexable_predicate", select("events"),
                           seen(scan("events", {json}), "data")});
  EXPECT_THAT(fix.advice, HasSubstr("compares data of events by"));
  EXPECT_THAT(fix.sql, IsEmpty());
  EXPECT_FALSE(fix.index.has_value());
}

TEST(PlanFixes, LeadingWildcard) {
  PlanCondition like = condition("title", "~~*");
  like.pattern = PlanPattern::kLeading;
  const Fix fix = fix_for({Remedy::kTrigramIndex, "unindexable_predicate", select("posts"),
                           seen(scan("posts", {like}), "title")});
  EXPECT_EQ(fix.sql,
            "CREATE EXTENSION IF NOT EXISTS pg_trgm;\n"
            "CREATE INDEX CONCURRENTLY posts_title_trgm_index ON posts USING gin (title "
            "gin_trgm_ops);");
  EXPECT_THAT(fix.migration,
              HasSubstr("    execute \"CREATE EXTENSION IF NOT EXISTS pg_trgm\", \"\"\n"
                        "    create index(:posts, [\"title gin_trgm_ops\"], name: "
                        ":posts_title_trgm_index, using: :gin, concurrently: true)\n"));
}

TEST(PlanFixes, ASearchInTwoColumns) {
  PlanCondition like = condition("name", "~~*");
  like.pattern = PlanPattern::kUnknown;
  Observation worst = seen(scan("users", {like}), "name");
  worst.columns.emplace_back("users.user");
  const Fix fix = fix_for({Remedy::kTrigramIndex, "unindexable_predicate", select("users"), worst});
  EXPECT_THAT(fix.advice, HasSubstr("a trigram index on name and user of users"));
  EXPECT_THAT(fix.sql, HasSubstr("CREATE INDEX CONCURRENTLY users_name_user_trgm_index ON users "
                                 "USING gin (name gin_trgm_ops, \"user\" gin_trgm_ops);"));
  Catalog catalog;
  CatalogTable& table = catalog.tables["users"];
  const Query query = select("users");
  const AdviceRequest request{"unindexable_predicate", Remedy::kTrigramIndex, &query, nullptr,
                              &worst};
  table.indexes = {{"a", "gin", {"name"}, {}, {}, ""}};
  EXPECT_THAT(advise(request, &catalog).advice, HasSubstr("a trigram index on user of users"));
  table.indexes.push_back({"b", "gin", {"user"}, {}, {}, ""});
  EXPECT_THAT(advise(request, &catalog).advice, HasSubstr("search from the third on"));
}

TEST(PlanFixes, WhatStandsInsideAColumn) {
  const auto fix = [](const std::string& op, const std::string& type, bool function = false) {
    PlanCondition inside = condition("tags", op);
    inside.operand_type = type;
    inside.function = function;
    return fix_for({Remedy::kInsideIndex, "missing_index", select("posts"),
                    seen(scan("posts", {inside}), "tags")});
  };
  const auto index = [&](const std::string& op, const std::string& type) {
    return fix(op, type).index.value_or(IndexAdvice{"", {"none"}, {}, {}, {}}).columns[0];
  };
  EXPECT_EQ(index("@>", "jsonb"), "tags jsonb_path_ops");
  EXPECT_EQ(index("?|", "text[]"), "tags jsonb_ops") << "which of the keys are there";
  EXPECT_EQ(index("&&", "character varying[]"), "tags array_ops");
  EXPECT_EQ(index("@@", "tsquery"), "tags tsvector_ops");
  EXPECT_EQ(index("@>", "tstzrange"), "tags range_ops");
  EXPECT_EQ(index("&&", "datemultirange"), "tags multirange_ops");
  EXPECT_EQ(index("@>", ""), "none") << "a generic plan does not tell the type";
  EXPECT_THAT(fix("@>", "").advice, HasSubstr("a GIN index on tags of posts, or a GiST index"));
  EXPECT_EQ(
      fix("&&", "tstzrange").sql,
      "CREATE INDEX CONCURRENTLY posts_tags_gist_index ON posts USING gist (tags range_ops);");
  EXPECT_THAT(fix("@>", "jsonb").migration,
              HasSubstr("create index(:posts, [\"tags jsonb_path_ops\"], name: "
                        ":posts_tags_gin_index, using: :gin, concurrently: true)"));
  EXPECT_THAT(fix("@>", "jsonb").ecto, IsEmpty()) << "the query may stay";
  EXPECT_EQ(fix("= ANY", "").ecto, "from(p in Post, where: fragment(\"? @> ?\", p.tags, ^[tag]))");
  EXPECT_EQ(fix("=", "", true).ecto,
            "from(p in Post, where: fragment(\"? @> ?\", p.tags, ^%{\"key\" => value}))");
  EXPECT_THAT(fix("@@", "tsquery", true).advice, HasSubstr("GENERATED ALWAYS AS"));
  EXPECT_THAT(fix("@@", "tsquery", true).sql, IsEmpty());
}

TEST(PlanFixes, WhatStandsInsideAColumnThatTheCatalogKnows) {
  PlanCondition inside = condition("tags", "@>");
  const Query query = select("posts");
  const auto fix = [&](const CatalogTable& table) {
    const Observation worst = seen(scan("posts", {inside}), "tags");
    Catalog catalog;
    catalog.tables["posts"] = table;
    return advise({"missing_index", Remedy::kInsideIndex, &query, nullptr, &worst}, &catalog);
  };
  CatalogTable table;
  table.columns["tags"] = {"text[]", {}};
  EXPECT_THAT(fix(table).sql, HasSubstr("USING gin (tags array_ops)")) << "of a generic plan";
  table.indexes = {{"posts_tags_index", "gin", {"tags"}, {}, {}, ""}};
  EXPECT_THAT(fix(table).advice, HasSubstr("is there, posts_tags_index: run ANALYZE posts"));
  inside.op = "= ANY";
  EXPECT_EQ(fix(table).advice, "Ask what tags contains: its index posts_tags_index then serves.");
  EXPECT_THAT(fix(table).sql, IsEmpty());
  table.indexes[0].valid = false;
  EXPECT_THAT(fix(table).sql, HasSubstr("USING gin (tags array_ops)"));
}

TEST(PlanFixes, ForAJoinThePlanIsNoProof) {
  Observation worst = seen(scan("rides", {}), "fleet_id");
  worst.index = IndexAdvice{"rides", {"fleet_id"}, {"asc"}, {}, std::nullopt};
  worst.evidence["rows_joined"] = 75;
  const Fix fix = fix_for({Remedy::kAddIndex, "missing_index", select("rides"), worst});
  EXPECT_EQ(fix.advice,
            "Create an index on fleet_id of rides. The rows that the join begins with have to be "
            "found by an index, too.");
  ASSERT_TRUE(fix.verified.has_value());
  EXPECT_EQ(fix.verified->by, Verification::By::kNone);
  EXPECT_EQ(fix.sql, "CREATE INDEX CONCURRENTLY rides_fleet_id_index ON rides (fleet_id);");
}

TEST(PlanFixes, WithoutACatalogNothingIsSaidOfWhatExists) {
  const Observation worst = seen(scan("posts", {condition("kind", "<>")}), "kind");
  const Query query = select("posts");
  const AdviceRequest request{"missing_index", Remedy::kAddIndex, &query, nullptr, &worst};
  EXPECT_EQ(advise(request).advice, "Create an index on what the query compares of posts.");
  Catalog catalog;
  catalog.tables["posts"] = {};
  EXPECT_THAT(advise(request, &catalog).advice, HasSubstr("is there: run ANALYZE posts"));
}

TEST(PlanFixes, Casts) {
  PlanCondition cast = condition("ref");
  cast.cast_to = "bigint";
  const Fix fix = fix_for({Remedy::kRewritePredicate, "unindexable_predicate", select("orders"),
                           seen(scan("orders", {condition("id", "<="), cast}), "ref")});
  EXPECT_EQ(fix.advice,
            "Compare ref as the type that it has: cast the value, not the column. Its index then "
            "serves; if it has none: create index(:orders, [:ref], concurrently: true).");
  EXPECT_EQ(fix.ecto,
            "from(o in Order, where: o.ref == ^ref)  # ref in the column's own type, such as "
            "to_string(ref)");
  PlanCondition day = condition("inserted_at");
  day.cast_to = "date";
  EXPECT_EQ(fix_for({Remedy::kRewritePredicate, "unindexable_predicate", select("events"),
                     seen(scan("events", {day}), "inserted_at")})
                .ecto,
            "from(e in Event, where: e.inserted_at >= ^from and e.inserted_at < ^to)");
}

TEST(PlanFixes, Keyset) {
  const auto ecto = [](std::vector<OrderColumn> order) {
    return fix_for({Remedy::kKeyset, "deep_offset", ordered(select("posts"), std::move(order)), {}})
        .ecto;
  };
  EXPECT_EQ(ecto({{"posts", "id", false}}),
            "from(p in Post, where: p.id > ^last.id, order_by: [asc: p.id], limit: ^limit)");
  EXPECT_EQ(ecto({{"posts", "inserted_at", true}}),
            "from(p in Post, where: fragment(\"(?, ?) < (?, ?)\", p.inserted_at, p.id, "
            "type(^last.inserted_at, p.inserted_at), type(^last.id, p.id)), order_by: [desc: "
            "p.inserted_at, desc: p.id], limit: ^limit)");
  EXPECT_EQ(ecto({{"posts", "name", false}, {"posts", "id", true}}),
            "from(p in Post, where: (p.name > ^last.name or (p.name == ^last.name and p.id < "
            "^last.id)), order_by: [asc: p.name, desc: p.id], limit: ^limit)");
}

TEST(PlanFixes, WorkMemByWhatWasSpilled) {
  const auto sql = [](double bytes) {
    Observation worst;
    worst.evidence["spilled_bytes"] = bytes;
    return fix_for({Remedy::kWorkMem, "disk_spill", select("posts"), worst}).sql;
  };
  EXPECT_EQ(sql(1 << 20), "SET LOCAL work_mem = '8MB';");
  EXPECT_EQ(sql(41'058'304), "SET LOCAL work_mem = '128MB';");
  EXPECT_EQ(sql(1e9), "") << "no query should have two gigabytes";
}

TEST(PlanFixes, ForeignKeys) {
  Plan plan = scan("orders", {});
  plan.triggers = {{"", "audit_fk", "orders", 1, 1}, {"", "fk_items", "orders", 70, 1}};
  Observation worst = seen(std::move(plan), "id");
  worst.evidence["trigger_ms"] = 70;
  worst.table.clear();
  worst.columns.clear();
  Query query = select("orders");
  query.operation = Operation::kDelete;
  EXPECT_EQ(fix_for({Remedy::kAddIndex, "missing_index", query, worst}).advice,
            "Create an index on the referring columns of the foreign key fk_items.");
  worst.index = IndexAdvice{"order_items", {"order_id"}, {"asc"}, {}, std::nullopt};
  EXPECT_EQ(fix_for({Remedy::kAddIndex, "missing_index", query, worst}).advice,
            "Create an index on order_id of order_items: without one, each row deleted or changed "
            "searches the whole table.");
}

TEST(PlanFixes, ASlowDeleteWhoseTimeIsNotInItsPlan) {
  Plan plan = scan("orders", {});
  plan.nodes[0].timed = true;
  plan.nodes[0].total_ms = 0.1;
  plan.duration = Micros(75'000);
  Query query = select("orders");
  query.operation = Operation::kDelete;
  Observation worst = seen(std::move(plan), "id");
  worst.database_time = Micros(75'200);
  const Fix fix = fix_for({Remedy::kReadPlan, "slow_query", query, worst});
  EXPECT_THAT(fix.advice, HasSubstr("auto_explain.log_triggers = on would show which."));
  query.operation = Operation::kSelect;
  EXPECT_EQ(fix_for({Remedy::kReadPlan, "slow_query", query, worst}).advice,
            "Begin with what takes the most of its time: Seq Scan on orders t0.");
}

}  // namespace
}  // namespace ectoscope
