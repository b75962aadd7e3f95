// Fixes for what plans show, word for word.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advice/ecto_fix.h"
#include "advice/index_advice.h"
#include "advice/index_text.h"
#include "core/plan.h"

namespace ectoscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Query select(const std::string& table) {
  Query query;
  query.operation = Operation::kSelect;
  query.parsed = true;
  query.tables = {table};
  query.parameters = 9;
  return query;
}

PlanCondition condition(const std::string& column, const std::string& op = "=") {
  PlanCondition one;
  one.column = column;
  one.expression = column;
  one.op = op;
  one.operand = PlanOperand::kLiteral;
  return one;
}

Plan scan(const std::string& table, std::vector<PlanCondition> conditions) {
  Plan plan;
  plan.analyzed = true;
  PlanNode node;
  node.type = PlanNodeType::kSeqScan;
  node.name = "Seq Scan";
  node.relation = table;
  node.alias = "t0";
  node.filter.text = "(...)";
  node.filter.conditions = std::move(conditions);
  plan.nodes.push_back(std::move(node));
  return plan;
}

PlanCondition flag(const std::string& column, const std::string& op) {
  PlanCondition one = condition(column, op);
  one.operand = PlanOperand::kNone;
  return one;
}

PlanCondition listed(const std::string& column) {
  PlanCondition one = condition(column);
  one.list = true;
  return one;
}

Query ordered(Query query, std::vector<OrderColumn> order, bool limit = true) {
  query.order_by = std::move(order);
  query.has_limit = limit;
  return query;
}

/// "workspace_id inserted_at desc | where deleted_at IS NULL", a line a candidate.
std::string candidates(const Query& query, const Plan& plan, const Catalog* catalog = nullptr) {
  std::string text;
  for (const IndexCandidate& one :
       index_candidates(IndexQuestion{query, &plan, query.tables[0], catalog})) {
    if (!text.empty()) text += "; ";
    for (size_t i = 0; i < one.index.columns.size(); ++i) {
      text += (i == 0 ? "" : " ") + one.index.columns[i];
      if (one.index.order[i] != "asc") text += " " + one.index.order[i];
    }
    for (const std::string& column : one.index.include)
      text += " +" + column;
    if (one.index.where) text += " where " + *one.index.where;
    if (!one.replaces.empty()) text += " for " + one.replaces;
  }
  return text;
}

TEST(IndexAdvice, ColumnOrder) {
  const Query events = select("events");
  const std::vector<OrderColumn> by_time = {{"events", "inserted_at", true}};
  const Query latest = ordered(events, by_time);
  const struct {
    const char* why;
    Query query;
    std::vector<PlanCondition> conditions;
    const char* index;
  } cases[] = {
      {"one value, then the order",
       latest,
       {condition("workspace_id")},
       "workspace_id inserted_at"},
      {"the order without its direction where all agree",
       ordered(events, {{"events", "inserted_at", true}, {"events", "id", true}}),
       {condition("workspace_id")},
       "workspace_id inserted_at id"},
      {"and with it where they differ",
       ordered(events, {{"events", "inserted_at", true}, {"events", "id", false}}),
       {condition("workspace_id")},
       "workspace_id inserted_at desc id"},
      {"what has one value is in order anyway",
       ordered(events, {{"events", "workspace_id", false}}),
       {condition("workspace_id")},
       "workspace_id"},
      {"then one range, not two",
       events,
       {condition("price", ">"), condition("workspace_id"), condition("weight", "<")},
       "workspace_id price"},
      {"a range on the order's column",
       latest,
       {condition("workspace_id"), condition("inserted_at", "<")},
       "workspace_id inserted_at"},
      {"with a LIMIT the order goes before another range",
       latest,
       {condition("workspace_id"), condition("price", ">")},
       "workspace_id inserted_at price"},
      {"without one the range goes first",
       ordered(events, by_time, false),
       {condition("workspace_id"), condition("price", ">")},
       "workspace_id price"},
      {"a list breaks the order, so both are candidates",
       latest,
       {listed("kind"), condition("workspace_id")},
       "workspace_id kind; workspace_id inserted_at kind"},
      {"keys before other columns",
       events,
       {condition("kind"), condition("workspace_id")},
       "workspace_id kind"},
      {"IS NULL is the index's condition",
       events,
       {condition("workspace_id"), flag("deleted_at", "IS NULL")},
       "workspace_id where deleted_at IS NULL"},
      {"so are booleans",
       events,
       {condition("workspace_id"), flag("archived", "IS NOT TRUE")},
       "workspace_id where NOT archived"},
      {"a prefix pattern",
       events,
       {condition("workspace_id"),
        [] {
          PlanCondition like = condition("name", "~~");
          like.pattern = PlanPattern::kPrefix;
          return like;
        }()},
       "workspace_id name text_pattern_ops"},
      {"nothing to index", events, {condition("kind", "<>")}, ""},
      {"another table's order",
       ordered(events, {{"users", "name", false}}),
       {condition("workspace_id")},
       "workspace_id"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(candidates(c.query, scan("events", c.conditions)), c.index) << c.why;
}

TEST(IndexAdvice, TheStatementsConstantsComeLast) {
  Query query = select("posts");
  query.parameters = 1;
  query.predicates = {{"posts", "status", "=", 2, false, false, false},
                      {"posts", "slug", "=", 1, false, false, false}};
  EXPECT_EQ(candidates(query, scan("posts", {condition("status"), condition("slug")})),
            "slug status");
}

TEST(IndexAdvice, FromTheStatementAloneWhereThereIsNoPlan) {
  Query query = ordered(select("posts"), {{"posts", "id", false}});
  query.predicates = {{"posts", "user_id", "=", 1, false, false, false},
                      {"posts", "title", "=", 2, false, true, false},
                      {"users", "id", "=", 3, false, false, false}};
  const auto found = index_candidates(IndexQuestion{query, nullptr, "posts"});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].index.columns, ElementsAre("user_id", "id"));
}

TEST(IndexAdvice, AFigureNeedsNoOrder) {
  Query query = ordered(select("posts"), {{"posts", "id", false}});
  query.aggregate = true;
  EXPECT_EQ(candidates(query, scan("posts", {condition("user_id")})), "user_id");
}

TEST(IndexAdvice, KnowsWhatExists) {
  const Query query = ordered(select("events"), {{"events", "id", false}});
  const Plan plan = scan("events", {condition("workspace_id")});
  const auto with = [&](std::vector<CatalogIndex> indexes) {
    Catalog catalog;
    catalog.tables["events"].indexes = std::move(indexes);
    return candidates(query, plan, &catalog);
  };
  const CatalogIndex same{"a", "btree", {"workspace_id", "id"}, {false, false}, {}, ""};
  CatalogIndex partial = same;
  partial.where = "kind = 1";
  CatalogIndex broken = same;
  broken.valid = false;
  CatalogIndex gin = same;
  gin.method = "gin";
  const CatalogIndex turned{"a", "btree", {"workspace_id", "id"}, {true, true}, {}, ""};
  const CatalogIndex half_turned{"a", "btree", {"workspace_id", "id"}, {false, true}, {}, ""};
  const CatalogIndex longer{"a", "btree", {"workspace_id", "id", "kind"}, {}, {}, ""};
  CatalogIndex nulls_first = same;
  nulls_first.nulls_first = {false, true};
  const CatalogIndex prefix{"events_workspace_id_index", "btree", {"workspace_id"}, {}, {}, ""};
  CatalogIndex unique = prefix;
  unique.unique = true;
  EXPECT_EQ(with({}), "workspace_id id");
  EXPECT_EQ(with({same}), "");
  EXPECT_EQ(with({turned}), "") << "read backward";
  EXPECT_EQ(with({longer}), "") << "never the beginning of another";
  EXPECT_EQ(with({half_turned}), "") << "of one workspace it is in order, too";
  EXPECT_EQ(with({nulls_first}), "workspace_id id") << "neither way are NULLs where they should be";
  EXPECT_EQ(with({partial}), "workspace_id id");
  EXPECT_EQ(with({broken}), "workspace_id id");
  EXPECT_EQ(with({gin}), "workspace_id id");
  EXPECT_EQ(with({prefix}), "workspace_id id for events_workspace_id_index") << "extended";
  EXPECT_EQ(with({unique}), "workspace_id id") << "a constraint stays";
}

TEST(IndexAdvice, NullsStandWhereTheOrderHasThem) {
  const struct {
    const char* order_by;
    bool descending;
    const char* index;
  } cases[] = {
      {"e0.\"due_at\"", false, "workspace_id due_at"},
      {"e0.\"due_at\" DESC", true, "workspace_id due_at"},
      {"e0.\"due_at\" NULLS LAST", false, "workspace_id due_at"},
      {"e0.\"due_at\" DESC NULLS FIRST", true, "workspace_id due_at"},
      {"e0.\"due_at\" DESC NULLS LAST", true, "workspace_id due_at desc nulls last"},
      {"e0.\"due_at\" ASC NULLS FIRST LIMIT $2", false, "workspace_id due_at asc nulls first"},
  };
  for (const auto& c : cases) {
    Query query = ordered(select("events"), {{"events", "due_at", c.descending}});
    query.text = std::string(
                     "SELECT e0.\"id\" FROM \"events\" AS e0 WHERE (e0.\"workspace_id\" = "
                     "(SELECT $1 ORDER BY 1 NULLS FIRST)) ORDER BY ") +
                 c.order_by;
    const Plan plan = scan("events", {condition("workspace_id")});
    EXPECT_EQ(candidates(query, plan), c.index) << c.order_by;
  }
}

TEST(IndexAdvice, NullsOfAnExistingIndexAreCompared) {
  Query query = ordered(select("events"), {{"events", "due_at", true}, {"events", "id", false}});
  query.text = "SELECT 1 FROM events e0 ORDER BY e0.due_at desc nulls last, e0.id";
  const Plan plan = scan("events", {condition("workspace_id")});
  const auto with = [&](std::vector<bool> descending, std::vector<bool> nulls_first) {
    Catalog catalog;
    CatalogIndex index{"a", "btree", {"workspace_id", "due_at", "id"}, std::move(descending),
                       {},  ""};
    index.nulls_first = std::move(nulls_first);
    catalog.tables["events"].indexes = {index};
    return candidates(query, plan, &catalog);
  };
  const char* const kNew = "workspace_id due_at desc nulls last id";
  EXPECT_EQ(with({false, true, false}, {false, false, false}), "");
  EXPECT_EQ(with({false, false, true}, {false, true, true}), "") << "read backward";
  EXPECT_EQ(with({false, true, false}, {false, true, false}), kNew);
  EXPECT_EQ(with({false, true, false}, {}), kNew);
}

TEST(IndexAdvice, ExtendsOnlyWhatItReplacesInFull) {
  const Query query = ordered(select("events"), {{"events", "id", false}, {"events", "at", true}});
  const Plan plan = scan("events", {condition("workspace_id")});
  const auto with = [&](std::vector<bool> descending) {
    Catalog catalog;
    catalog.tables["events"].indexes = {
        {"old", "btree", {"workspace_id", "id"}, std::move(descending), {}, ""}};
    return candidates(query, plan, &catalog);
  };
  EXPECT_EQ(with({false, false}), "workspace_id id at desc for old");
  EXPECT_EQ(with({true, false}), "workspace_id id at desc")
      << "who needs the other order still does";
}

TEST(IndexAdvice, IncludesFewNarrowColumnsWhereManyRowsAreRead) {
  Catalog catalog;
  CatalogTable& table = catalog.tables["events"];
  table.columns = {{"workspace_id", {"bigint", {}}},
                   {"amount", {"numeric(10,2)", {}}},
                   {"inserted_at", {"timestamp without time zone", {}}},
                   {"payload", {"text", {}}}};
  const auto with = [&](const std::string& text, double rows = 1000) {
    Query query = select("events");
    query.aggregate = true;
    query.text = text;
    Plan plan = scan("events", {condition("workspace_id")});
    plan.nodes[0].rows = rows;
    return candidates(query, plan, &catalog);
  };
  const std::string where = " FROM \"events\" AS t0 WHERE (t0.\"workspace_id\" = $1)";
  EXPECT_EQ(with("SELECT sum(t0.\"amount\")" + where), "workspace_id; workspace_id +amount");
  EXPECT_EQ(with("SELECT sum(t0.\"amount\")" + where, 999), "workspace_id") << "too few to matter";
  EXPECT_EQ(with("SELECT sum(t0.\"amount\")" + where + " AND (t0.\"inserted_at\" <> $2)"),
            "workspace_id; workspace_id +amount +inserted_at");
  EXPECT_EQ(with("SELECT count(*)" + where), "workspace_id") << "reads no more than it has";
  EXPECT_EQ(with("SELECT max(t0.\"payload\")" + where), "workspace_id") << "wide";
  EXPECT_EQ(with("SELECT t0.*" + where), "workspace_id");
  EXPECT_EQ(with("SELECT row_to_json(t0)" + where), "workspace_id") << "the whole row";
  EXPECT_EQ(with("SELECT sum(amount)" + where), "workspace_id") << "whose, is not told";
  EXPECT_EQ(with("SELECT sum(t0.\"other\")" + where), "workspace_id") << "not in the catalog";
}

TEST(IndexAdvice, WhatATrialChoseIsComparedAsItWasBuilt) {
  const Query query =
      ordered(select("events"), {{"events", "due_at", false}, {"events", "id", true}});
  Observation worst;
  worst.table = "events";
  worst.plan = std::make_shared<const Plan>(scan("events", {condition("workspace_id")}));
  Catalog catalog;
  catalog.tables["events"].indexes = {
      {"other", "btree", {"workspace_id", "due_at", "id"}, {false, false, false}, {}, ""},
      {"short", "btree", {"workspace_id"}, {false}, {}, ""}};
  AdviceRequest request{"wrong_index", Remedy::kAddIndex, &query, nullptr, &worst};
  const auto first = index_candidates(request, &catalog);
  ASSERT_EQ(first.size(), 1U);
  worst.index = first[0].index;
  const auto again = index_candidates(request, &catalog);
  ASSERT_EQ(again.size(), 1U) << "one with the same columns in another order is none";
  EXPECT_EQ(again[0].replaces, "short");
}

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

TEST(IndexText, NamesAreQuotedWhereTheyMustBe) {
  EXPECT_EQ(create_index_sql({"tenant.Order", {"user", "insertedAt"}, {"asc", "desc"}, {"id"}, {}}),
            "CREATE INDEX CONCURRENTLY \"Order_user_insertedAt_index\" ON tenant.\"Order\" "
            "(\"user\", \"insertedAt\" DESC) INCLUDE (id);");
  EXPECT_EQ(create_index_ecto({"tenant.orders", {"user_id", "at"}, {"asc", "desc"}, {"id"}, {}}),
            "create index(:orders, [:user_id, \"at DESC\"], name: :orders_user_id_at_index, "
            "prefix: \"tenant\", include: [:id], concurrently: true)");
  const IndexAdvice due{"tasks", {"user_id", "due_at"}, {"asc", "desc nulls last"}, {}, {}};
  EXPECT_EQ(create_index_sql(due),
            "CREATE INDEX CONCURRENTLY tasks_user_id_due_at_index ON tasks (user_id, due_at DESC "
            "NULLS LAST);");
  EXPECT_EQ(create_index_ecto(due),
            "create index(:tasks, [:user_id, \"due_at DESC NULLS LAST\"], name: "
            ":tasks_user_id_due_at_index, concurrently: true)");
  EXPECT_EQ(create_index_ecto({"posts", {"user_id"}, {"asc"}, {}, "deleted_at IS NULL"}),
            "create index(:posts, [:user_id], name: :posts_user_id_partial_index, where: "
            "\"deleted_at IS NULL\", concurrently: true)");
  const IndexAdvice longest{"a_rather_long_table_name",
                            {"a_rather_long_column_name", "another_one"},
                            {"asc", "asc"},
                            {},
                            {}};
  EXPECT_LE(index_name(longest).size(), 63U);
  EXPECT_THAT(create_index_ecto(longest), HasSubstr(", name: :a_rather_long"));
}

}  // namespace
}  // namespace ectoscope
