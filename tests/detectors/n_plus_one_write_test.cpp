#include "trace_builder.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;

struct Shop {
  QueryTable queries{64};
  QueryId carts = queries.add(select_all("carts"));
  QueryId items = queries.add(select_all("items"));
  QueryId insert_user = queries.add(insert("users"));
  QueryId insert_item = queries.add(insert("items"));
  QueryId insert_items = queries.add(insert("items", 500));
  QueryId copy_items = queries.add(
      with(insert("items", 0), "from a SELECT", [](Query& query) { query.has_join = true; }));
  QueryId upsert_item = queries.add(
      with(insert("items"), "on conflict", [](Query& query) { query.on_conflict = true; }));
  QueryId update_item = queries.add(by(update("items"), "id"));
  QueryId update_items = queries.add(by(update("items"), "id", KeyForm::kList));
  QueryId update_old = queries.add(
      with(by(update("items"), "cart_id"), "older than", [](Query& q) { q.range = true; }));
  QueryId update_state = queries.add(update("items"));
  QueryId delete_item = queries.add(by(erase("items"), "id"));
  QueryId read_item = queries.add(by(select_all("items"), "id"));
  QueryId migrations = queries.add(
      with(insert("schema_migrations"), "system", [](Query& query) { query.system = true; }));
  QueryId begin = queries.add(verb(TransactionVerb::kBegin));
  QueryId commit = queries.add(verb(TransactionVerb::kCommit));
  QueryId rollback = queries.add(verb(TransactionVerb::kRollback));
  QueryId savepoint = queries.add(verb(TransactionVerb::kSavepoint));
  QueryId release = queries.add(verb(TransactionVerb::kRelease));
};

const Shop& shop() {
  static const Shop kShop;
  return kShop;
}

/// As the SQL sandbox runs it.
void in_savepoint(TraceBuilder& it, QueryId query, uint64_t key = 1) {
  it.run(shop().savepoint).run(query, key).run(shop().release);
}

void in_savepoints(TraceBuilder& it, QueryId query, uint64_t keys) {
  for (uint64_t key = 1; key <= keys; ++key)
    in_savepoint(it, query, key);
}

const Case kLoops[] = {
    {"at the threshold", [](TraceBuilder& it) { it.loop(shop().insert_item, 5); },
     "insert items x5"},
    {"a form with four children", [](TraceBuilder& it) { it.loop(shop().insert_item, 4); }, ""},
    {"in a transaction it is a loop all the same",
     [](TraceBuilder& it) { it.run(shop().begin).loop(shop().insert_item, 5).run(shop().commit); },
     "insert items x5"},
    {"upserts", [](TraceBuilder& it) { it.loop(shop().upsert_item, 5); },
     "insert items, on conflict x5"},
    {"updates by id, after the read of their table",
     [](TraceBuilder& it) { it.run(shop().items).run(shop().carts).loop(shop().update_item, 5); },
     "update items by id x5 after items"},
    {"deletes by id", [](TraceBuilder& it) { it.loop(shop().delete_item, 5); },
     "delete items by id x5"},
    {"a list of one",
     [](TraceBuilder& it) { it.loop(shop().update_items, 5, {.flags = Execution::kOneElement}); },
     "update items by list of id x5"},
    {"a read before each: get and update in turn",
     [](TraceBuilder& it) {
       for (uint64_t key = 1; key <= 5; ++key)
         it.run(shop().read_item, key).run(shop().update_item, key);
     },
     "update items by id x5"},
    {"the values were not logged", [](TraceBuilder& it) { it.repeat(shop().insert_item, 0, 5); },
     "insert items x5"},
    {"two shapes in turn are a loop each",
     [](TraceBuilder& it) {
       for (uint64_t key = 1; key <= 5; ++key)
         it.run(shop().insert_user, key).run(shop().insert_item, key);
     },
     "insert users x5\ninsert items x5"},
};

const Case kLookAlikes[] = {
    {"insert_all in chunks is the cure", [](TraceBuilder& it) { it.loop(shop().insert_items, 9); },
     ""},
    {"INSERT ... SELECT writes as many rows as it reads",
     [](TraceBuilder& it) { it.loop(shop().copy_items, 9); }, ""},
    {"update_all by a list of keys", [](TraceBuilder& it) { it.loop(shop().update_items, 9); }, ""},
    {"update_all of a range", [](TraceBuilder& it) { it.loop(shop().update_old, 9); }, ""},
    {"update_all without a key", [](TraceBuilder& it) { it.loop(shop().update_state, 9); }, ""},
    {"one row that is written again and again: progress, a counter",
     [](TraceBuilder& it) { it.repeat(shop().update_item, 7, 50); }, ""},
    {"nine updates of four rows",
     [](TraceBuilder& it) {
       it.loop(shop().update_item, 4).loop(shop().update_item, 4).run(shop().update_item, 1);
     },
     ""},
    {"reads are n_plus_one_read's", [](TraceBuilder& it) { it.loop(shop().read_item, 9); }, ""},
    {"Ecto's migrator notes what it ran", [](TraceBuilder& it) { it.loop(shop().migrations, 9); },
     ""},
    {"transactions and savepoints are no writes",
     [](TraceBuilder& it) {
       for (uint64_t key = 1; key <= 9; ++key)
         it.run(shop().begin).run(shop().savepoint).run(shop().release).run(shop().commit);
     },
     ""},
};

const Case kSandbox[] = {
    {"fixtures in turn: each item with its user",
     [](TraceBuilder& it) {
       it.run(shop().begin);
       for (uint64_t key = 1; key <= 6; ++key) {
         in_savepoint(it, shop().insert_user, key);
         in_savepoint(it, shop().insert_item, key);
       }
       it.run(shop().rollback);
     },
     ""},
    {"the same in turn, but committed: no test",
     [](TraceBuilder& it) {
       it.run(shop().begin);
       for (uint64_t key = 1; key <= 6; ++key) {
         in_savepoint(it, shop().insert_user, key);
         in_savepoint(it, shop().insert_item, key);
       }
       it.run(shop().commit);
     },
     "insert users x6\ninsert items x6"},
    {"what a test begins with is its fixtures: insert_list(8, :item)",
     [](TraceBuilder& it) {
       it.run(shop().begin);
       in_savepoints(it, shop().insert_item, 8);
       in_savepoint(it, shop().carts);
       it.run(shop().rollback);
     },
     ""},
    {"the code under test loops after the fixtures",
     [](TraceBuilder& it) {
       it.run(shop().begin);
       in_savepoint(it, shop().insert_user);
       in_savepoints(it, shop().insert_item, 5);
       it.run(shop().rollback);
     },
     "insert items x5"},
    {"after the fixtures, but one below the threshold",
     [](TraceBuilder& it) {
       it.run(shop().begin);
       in_savepoint(it, shop().insert_user);
       in_savepoints(it, shop().insert_item, 4);
       it.run(shop().rollback);
     },
     ""},
    {"two fixtures of one shape, then the loop: only the loop counts",
     [](TraceBuilder& it) {
       it.run(shop().begin);
       in_savepoints(it, shop().insert_item, 2);
       in_savepoint(it, shop().insert_user);
       for (uint64_t key = 11; key <= 15; ++key)
         in_savepoint(it, shop().insert_item, key);
       it.run(shop().rollback);
     },
     "insert items x5"},
    {"updates are no fixtures",
     [](TraceBuilder& it) {
       it.run(shop().begin);
       in_savepoints(it, shop().update_item, 5);
       it.run(shop().rollback);
     },
     "update items by id x5"},
    {"a few savepoints in a long transaction are no sandbox",
     [](TraceBuilder& it) {
       it.run(shop().begin).loop(shop().insert_item, 9);
       in_savepoint(it, shop().insert_user);
     },
     "insert items x9"},
};

TEST(NPlusOneWrite, FiresOnRowByRowWrites) {
  expect_said("n_plus_one_write", shop().queries, kLoops);
}

TEST(NPlusOneWrite, LeavesHealthyLookAlikesAlone) {
  expect_said("n_plus_one_write", shop().queries, kLookAlikes);
}

TEST(NPlusOneWrite, TellsATestsFixturesFromTheCodeUnderTest) {
  expect_said("n_plus_one_write", shop().queries, kSandbox);
}

TEST(NPlusOneWrite, NamesTheRemedy) {
  struct Row {
    const char* why;
    QueryId query;
    Remedy remedy;
  };
  for (const Row& row : {
           Row{"insert", shop().insert_item, Remedy::kInsertAll},
           Row{"insert on conflict", shop().upsert_item, Remedy::kUpsertAll},
           Row{"update", shop().update_item, Remedy::kUpdateAll},
           Row{"delete", shop().delete_item, Remedy::kDeleteAll},
       }) {
    TraceBuilder trace;
    trace.loop(row.query, 5);
    Probe probe("n_plus_one_write");
    probe.judge(trace, shop().queries);
    ASSERT_EQ(probe.observations.size(), 1U) << row.why;
    EXPECT_EQ(probe.observations[0].remedy, row.remedy) << row.why;
  }
}

TEST(NPlusOneWrite, CountsWhatItCosts) {
  TraceBuilder trace;
  trace.run(shop().begin).loop(shop().insert_item, 5, {.duration = 2ms});
  trace.run(shop().insert_item, 6, {.duration = 10ms}).run(shop().commit);
  Probe probe("n_plus_one_write");
  probe.judge(trace, shop().queries);
  ASSERT_EQ(probe.observations.size(), 1U);
  const Observation& seen = probe.observations[0];
  EXPECT_EQ(seen.repeats, 6U);
  EXPECT_EQ(seen.statements, 6U) << "BEGIN and COMMIT are not of the loop";
  EXPECT_EQ(seen.excess_statements, 5U);
  EXPECT_EQ(seen.database_time, 20ms);
  EXPECT_EQ(seen.saved, 10ms) << "the one that stays costs what the dearest did";
  EXPECT_EQ(seen.started_at, trace.executions()[1].started_at);
  EXPECT_EQ(seen.ended_at, trace.executions()[6].ended_at);
}

TEST(NPlusOneWrite, IsCriticalWhenManyAndSlow) {
  struct Row {
    const char* why;
    uint64_t repeats;
    Micros each;
    const char* said;
  };
  for (const Row& row : {
           Row{"20 repeats and 100 ms", 20, 5ms, "insert items x20: critical"},
           Row{"100 ms, but 19 repeats", 19, 6ms, "insert items x19"},
           Row{"20 repeats, but 99.98 ms", 20, 4'999us, "insert items x20"},
       }) {
    TraceBuilder trace;
    trace.loop(shop().insert_item, row.repeats, {.duration = row.each});
    EXPECT_EQ(Probe("n_plus_one_write").judge(trace, shop().queries).said(shop().queries), row.said)
        << row.why;
  }
}

TEST(NPlusOneWrite, IsLessSureWithoutValuesAndSilentWithoutGrouping) {
  const auto confidence = [](double grouping, uint64_t key) {
    TraceBuilder trace;
    trace.grouped(GroupedBy::kChain, grouping);
    for (uint64_t i = 0; i < 5; ++i)
      trace.run(shop().insert_item, key == 0 ? 0 : key + i);
    Probe probe("n_plus_one_write");
    probe.judge(trace, shop().queries);
    return probe.observations.empty() ? 0 : probe.observations[0].confidence;
  };
  EXPECT_LT(confidence(0.9, 0), confidence(0.9, 1)) << "values not logged";
  EXPECT_LT(confidence(0.7, 1), confidence(0.9, 1)) << "grouping's own doubt";
  EXPECT_GT(confidence(0.7, 1), 0) << "just sure enough to speak";
  EXPECT_EQ(confidence(0.69, 1), 0) << "too unsure to speak";
}

TEST(NPlusOneWrite, CountsExactlyWhatTheTraceDidNotKeep) {
  TraceBuilder trace;
  trace.loop(shop().insert_item, 2'000).keep(10);
  Probe probe("n_plus_one_write");
  probe.judge(trace, shop().queries);
  ASSERT_EQ(probe.said(shop().queries), "insert items x2000: critical");
  EXPECT_EQ(probe.observations[0].excess_statements, 1'999U);
  EXPECT_EQ(probe.observations[0].database_time, 2s);
}

TEST(NPlusOneWrite, ATraceThatWasCutMustHaveKeptALoop) {
  TraceBuilder chunks;
  chunks.loop(shop().insert_items, 2'000).keep(10);
  EXPECT_EQ(Probe("n_plus_one_write").judge(chunks, shop().queries).said(shop().queries), "");
  TraceBuilder fixtures;
  for (uint64_t key = 1; key <= 500; ++key) {
    in_savepoint(fixtures, shop().insert_user, key);
    in_savepoint(fixtures, shop().insert_item, key);
  }
  fixtures.keep(60);
  EXPECT_EQ(Probe("n_plus_one_write").judge(fixtures, shop().queries).said(shop().queries), "");
}

TEST(NPlusOneWrite, SaysItInOneSentence) {
  Finding finding;
  finding.query.summary = "INSERT items";
  finding.occurrences = 2;
  finding.statements = 2'000;
  finding.excess_statements = 1'998;
  finding.saved = 1'240ms;
  EXPECT_EQ(detector_named("n_plus_one_write").summarize(finding),
            "2 requests ran INSERT items 1,000 times on average, one row each: 1,998 statements "
            "and 1.2 s of database time too many.");
}

}  // namespace
}  // namespace ectoscope
