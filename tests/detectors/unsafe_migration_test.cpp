#include "core/ddl.h"
#include "trace_builder.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;

Query ddl(const std::string& table, std::string summary, uint16_t bits) {
  Query query = shape(Operation::kDdl, table, std::move(summary));
  query.ddl = bits;
  return query;
}

Query migrators(Query query) {
  query.system = true;
  return query;
}

struct Shop {
  QueryTable queries{64};
  QueryId begin = queries.add(verb(TransactionVerb::kBegin));
  QueryId commit = queries.add(verb(TransactionVerb::kCommit));
  QueryId versions = queries.add(migrators(select_all("schema_migrations")));
  QueryId version = queries.add(migrators(insert("schema_migrations")));
  QueryId index = queries.add(ddl("posts", "index", kDdlBuildsIndex));
  QueryId concurrently = queries.add(ddl("posts", "concurrently", 0));
  QueryId type = queries.add(ddl("posts", "type", kDdlChangesType | kDdlSetsNotNull));
  QueryId rename = queries.add(ddl("posts", "rename", kDdlRenames));
  QueryId create = queries.add(ddl("tags", "create", kDdlCreatesTable));
  QueryId tags_index = queries.add(ddl("tags", "tags index", kDdlBuildsIndex));
  QueryId backfill = queries.add(update("posts"));
  QueryId seed = queries.add(insert("tags"));
};

const Shop& shop() {
  static const Shop kShop;
  return kShop;
}

How on(uint64_t session, Micros duration = 1ms, uint16_t flags = 0) {
  return {.duration = duration,
          .flags = flags,
          .pid = static_cast<int32_t>(session),
          .session = session,
          .transaction = session * 10};
}

/// What runs between BEGIN and the migrator's note.
template <typename Body>
void migrate(TraceBuilder& it, Body body) {
  it.run(shop().begin, 0, on(1));
  body();
  it.run(shop().version, 0, on(1)).run(shop().commit, 0, on(1));
}

const Case kCases[] = {
    {"at the threshold",
     [](TraceBuilder& it) { migrate(it, [&] { it.run(shop().index, 0, on(1, 200ms)); }); },
     "index x1"},
    {"one below it",
     [](TraceBuilder& it) { migrate(it, [&] { it.run(shop().index, 0, on(1, 200ms - 1us)); }); },
     ""},
    {"five seconds are critical",
     [](TraceBuilder& it) { migrate(it, [&] { it.run(shop().type, 0, on(1, 5s)); }); },
     "type x1: critical"},
    {"the safe form may take its time",
     [](TraceBuilder& it) {
       it.run(shop().versions, 0, on(2)).run(shop().concurrently, 0, on(1, 60s));
       it.run(shop().version, 0, on(3));
     },
     ""},
    {"a migration without a transaction: its migrator has just spoken",
     [](TraceBuilder& it) {
       it.run(shop().versions, 0, on(2))
           .run(shop().index, 0, on(1, 1s))
           .run(shop().version, 0, on(3));
     },
     "index x1"},
    {"the migrator spoke an hour ago",
     [](TraceBuilder& it) {
       it.run(shop().versions, 0, on(2)).wait(1h).run(shop().index, 0, on(1, 1s));
     },
     ""},
    {"an application's own DDL at run time",
     [](TraceBuilder& it) { it.run(shop().index, 0, on(1, 1s)); }, ""},
    {"a person's, in psql",
     [](TraceBuilder& it) { it.run(shop().index, 0, on(1, 1s, Execution::kSimple)); }, "index x1"},
    {"in a transaction, without Ecto's migrator",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, on(1)).run(shop().index, 0, on(1, 1s)).run(shop().commit, 0, on(1));
     },
     "index x1"},
    {"a name that running code uses: however fast",
     [](TraceBuilder& it) { migrate(it, [&] { it.run(shop().rename, 0, on(1)); }); }, "rename x1"},
    {"an index on a table that nobody sees yet",
     [](TraceBuilder& it) {
       migrate(it, [&] {
         it.run(shop().create, 0, on(1)).run(shop().tags_index, 0, on(1, 1s));
         it.repeat(shop().seed, 1, 3, on(1));
       });
     },
     ""},
    {"data changed beside the schema",
     [](TraceBuilder& it) {
       migrate(it,
               [&] { it.run(shop().rename, 0, on(1)).repeat(shop().backfill, 1, 3, on(1, 10ms)); });
     },
     "rename x1\nupdate posts x3"},
    {"a few rows in a migration of their own are a note",
     [](TraceBuilder& it) { migrate(it, [&] { it.run(shop().backfill, 1, on(1, 10ms)); }); },
     "update posts x1: info"},
    {"many are not",
     [](TraceBuilder& it) { migrate(it, [&] { it.run(shop().backfill, 1, on(1, 3s)); }); },
     "update posts x1"},
    {"the same change in a request is none of its business",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, on(1)).run(shop().backfill, 1, on(1, 3s));
       it.run(shop().commit, 0, on(1));
     },
     ""},
};

TEST(UnsafeMigration, FindsLocksAndLeavesSafeForms) {
  expect_said("unsafe_migration", shop().queries, kCases);
}

TEST(UnsafeMigration, NamesTheVersionAndCountsTheLockToTheEndOfItsTransaction) {
  TraceBuilder it;
  it.run(shop().begin, 0, on(1)).run(shop().index, 0, on(1, 300ms)).wait(700ms);
  it.run(shop().version, 0, on(1)).run(shop().commit, 0, on(1));
  Probe probe("unsafe_migration");
  probe.judge(it, shop().queries);
  ASSERT_EQ(probe.observations.size(), 1U);
  EXPECT_GE(probe.observations[0].evidence.at("max_lock_ms"), 1000);
  EXPECT_EQ(probe.observations[0].evidence.count("max_migration_version"), 0U) << "not logged";
}

TEST(UnsafeMigration, AtZeroEveryUnsafeFormIsNamed) {
  TraceBuilder it;
  migrate(it, [&] { it.run(shop().index, 0, on(1, 1us)); });
  EXPECT_EQ(
      Probe("unsafe_migration", {{"min_lock", 0}}).judge(it, shop().queries).said(shop().queries),
      "index x1");
}

}  // namespace
}  // namespace ectoscope
