// Which index is advised, by its columns and their order.
#include "advice/index_advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advice/index_text.h"
#include "tests/advice/plans_by_hand.h"

namespace ectoscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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
      {"nothing but a flag", events, {flag("sent_at", "IS NULL")}, "sent_at where sent_at IS NULL"},
      {"a flag, then the order",
       latest,
       {flag("sent", "IS NOT TRUE")},
       "inserted_at where NOT sent"},
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
  const char* const wanted = "workspace_id due_at desc nulls last id";
  EXPECT_EQ(with({false, true, false}, {false, false, false}), "");
  EXPECT_EQ(with({false, false, true}, {false, true, true}), "") << "read backward";
  EXPECT_EQ(with({false, true, false}, {false, true, false}), wanted);
  EXPECT_EQ(with({false, true, false}, {}), wanted);
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

TEST(IndexText, OfAPartitionedTable) {
  const IndexAdvice index{"pings", {"vehicle_no"}, {"asc"}, {}, {}};
  const IndexBuild build{.partitions = {"pings_01", "pings_02"}};
  EXPECT_EQ(create_index_sql(index, build),
            "CREATE INDEX pings_vehicle_no_index ON ONLY pings (vehicle_no);\n"
            "CREATE INDEX CONCURRENTLY pings_01_vehicle_no_index ON pings_01 (vehicle_no);\n"
            "ALTER INDEX pings_vehicle_no_index ATTACH PARTITION pings_01_vehicle_no_index;\n"
            "CREATE INDEX CONCURRENTLY pings_02_vehicle_no_index ON pings_02 (vehicle_no);\n"
            "ALTER INDEX pings_vehicle_no_index ATTACH PARTITION pings_02_vehicle_no_index;\n"
            "-- and so for each other partition: the index is valid when all are attached");
  EXPECT_EQ(index_migration(index, build),
            "defmodule MyApp.Repo.Migrations.AddPingsVehicleNoIndex do\n"
            "  use Ecto.Migration\n\n"
            "  @disable_ddl_transaction true\n"
            "  @disable_migration_lock true\n\n"
            "  # All of them: those that the plan did not read, too.\n"
            "  @partitions ~w(pings_01 pings_02)\n\n"
            "  def up do\n"
            "    create index(:pings, [:vehicle_no], name: :pings_vehicle_no_index, only: true)\n\n"
            "    for partition <- @partitions do\n"
            "      create index(partition, [:vehicle_no], name: \"#{partition}_vehicle_no_index\", "
            "concurrently: true)\n"
            "      execute \"ALTER INDEX pings_vehicle_no_index ATTACH PARTITION "
            "#{partition}_vehicle_no_index\"\n"
            "    end\n"
            "  end\n\n"
            "  def down do\n"
            "    drop index(:pings, [:vehicle_no], name: :pings_vehicle_no_index)\n"
            "  end\n"
            "end");
}

TEST(IndexText, ATrigramIndexOfAPartitionedTable) {
  IndexBuild build = trigram_build("app.pings", {"note"});
  build.partitions = {"pings_01"};
  const std::string migration = index_migration(trigram_index("app.pings", {"note"}), build);
  EXPECT_THAT(migration, HasSubstr("  def up do\n"
                                   "    execute \"CREATE EXTENSION IF NOT EXISTS pg_trgm\"\n"
                                   "    create index(:pings, [\"note gin_trgm_ops\"], name: "
                                   ":pings_note_trgm_index, using: :gin, prefix: \"app\", only: "
                                   "true)\n"));
  EXPECT_THAT(migration, HasSubstr("ALTER INDEX app.pings_note_trgm_index ATTACH PARTITION "
                                   "app.#{partition}_note_trgm_index\"\n"));
  EXPECT_THAT(migration, HasSubstr("drop index(:pings, [\"note gin_trgm_ops\"], name: "
                                   ":pings_note_trgm_index, using: :gin, prefix: \"app\")\n"));
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
