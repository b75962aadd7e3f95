#include "incident_builder.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;

struct Shop {
  QueryTable queries{64};
  QueryId begin = queries.add(verb(TransactionVerb::kBegin));
  QueryId commit = queries.add(verb(TransactionVerb::kCommit));
  QueryId rollback = queries.add(verb(TransactionVerb::kRollback));
  QueryId savepoint = queries.add(verb(TransactionVerb::kSavepoint));
  QueryId order = queries.add(by(select_all("orders"), "id"));
  QueryId locked = queries.add(with(by(select_all("orders"), "id"), "locked",
                                    [](Query& query) { query.locks_rows = true; }));
  QueryId pay = queries.add(by(update("orders"), "id"));
  QueryId versions = queries.add(
      with(select_all("schema_migrations"), "system", [](Query& query) { query.system = true; }));
};

const Shop& shop() {
  static const Shop kShop;
  return kShop;
}

How on(uint64_t session, Micros gap = 1ms, uint16_t flags = 0) {
  return {.gap = gap, .flags = flags, .pid = static_cast<int32_t>(session), .session = session};
}

/// BEGIN, a statement, a gap, another one, COMMIT.
void gap(TraceBuilder& it, QueryId before, Micros idle, QueryId after, uint16_t flags = 0) {
  it.run(shop().begin, 0, on(7)).run(before, 1, on(7, idle, flags)).run(after, 1, on(7));
  it.run(shop().commit, 0, on(7));
}

const Case kCases[] = {
    {"at the threshold", [](TraceBuilder& it) { gap(it, shop().order, 500ms, shop().pay); },
     "update orders by id x1 after orders by id"},
    {"one below it", [](TraceBuilder& it) { gap(it, shop().order, 500ms - 1us, shop().pay); }, ""},
    {"before COMMIT",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, on(7)).run(shop().pay, 1, on(7, 600ms));
       it.run(shop().commit, 0, on(7));
     },
     "update orders by id x1"},
    {"five seconds that hold a row are critical",
     [](TraceBuilder& it) { gap(it, shop().pay, 5s, shop().pay); },
     "update orders by id x1 after update orders by id: critical"},
    {"five seconds that hold a snapshot alone are not",
     [](TraceBuilder& it) { gap(it, shop().order, 5s, shop().pay); },
     "update orders by id x1 after orders by id"},
    {"SELECT FOR UPDATE may hold its row for a second",
     [](TraceBuilder& it) { gap(it, shop().locked, 999ms, shop().pay); }, ""},
    {"and no longer", [](TraceBuilder& it) { gap(it, shop().locked, 1s, shop().pay); },
     "update orders by id x1 after orders by id, locked"},
    {"a stream is read at the pace of its work",
     [](TraceBuilder& it) { gap(it, shop().order, 2s, shop().order, Execution::kFetch); }, ""},
    {"a slow statement is no gap",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, on(7));
       it.run(shop().pay, 1, {.duration = 3s, .pid = 7, .session = 7});
       it.run(shop().pay, 1, on(7)).run(shop().commit, 0, on(7));
     },
     ""},
    {"many short gaps are a long healthy transaction",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, on(7)).repeat(shop().order, 1, 20, on(7, 300ms));
       it.run(shop().commit, 0, on(7));
     },
     ""},
    {"what failed before a ROLLBACK is not in the trace",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, on(7)).run(shop().pay, 1, on(7, 2s));
       it.run(shop().rollback, 0, on(7));
     },
     ""},
    {"after BEGIN alone nothing is held",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, on(7, 2s)).run(shop().order, 1, on(7));
       it.run(shop().commit, 0, on(7));
     },
     ""},
    {"a migrator waits by design",
     [](TraceBuilder& it) { gap(it, shop().versions, 9s, shop().versions); }, ""},
    {"outside a transaction a connection goes back to the pool",
     [](TraceBuilder& it) { it.run(shop().order, 1, on(7, 5s)).run(shop().pay, 1, on(7)); }, ""},
    {"between two transactions of one session nothing is held",
     [](TraceBuilder& it) {
       gap(it, shop().pay, 1ms, shop().pay);
       it.wait(5s);
       gap(it, shop().pay, 1ms, shop().pay);
     },
     ""},
    {"another session works meanwhile: the gap is still one",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, on(7)).run(shop().order, 1, on(7));
       it.repeat(shop().order, 2, 10, on(8, 100ms));
       it.run(shop().pay, 1, on(7)).run(shop().commit, 0, on(7));
     },
     "update orders by id x1 after orders by id"},
    {"whole seconds need a second more",
     [](TraceBuilder& it) {
       gap(it, shop().order, 1s + 400ms, shop().pay, Execution::kCoarseTime);
     },
     ""},
    {"a test of the SQL sandbox",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, on(7));
       for (int i = 0; i < 4; ++i)
         it.run(shop().savepoint, 0, on(7)).run(shop().pay, 1, on(7, 700ms));
       it.run(shop().rollback, 0, on(7));
     },
     ""},
};

TEST(IdleInTransaction, FindsGapsAndLeavesHealthyOnes) {
  expect_said("idle_in_transaction", shop().queries, kCases);
}

TEST(IdleInTransaction, IsNotJudgedWhereStatementsAreMissing) {
  TraceBuilder cut;
  gap(cut, shop().pay, 5s, shop().pay);
  EXPECT_EQ(Probe("idle_in_transaction").judge(cut.keep(3), shop().queries).said(shop().queries),
            "");
}

TEST(IdleInTransaction, CountsSessionsThatTheServerEnded) {
  Probe probe("idle_in_transaction");
  probe.judge(incident(IncidentKind::kIdleTimeout), shop().queries);
  probe.judge(incident(IncidentKind::kStatementTimeout), shop().queries);
  EXPECT_EQ(probe.said(shop().queries), "? x1: critical");
}

}  // namespace
}  // namespace ectoscope
