#include "trace_builder.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;

struct Shop {
  QueryTable queries{64};
  QueryId begin = queries.add(verb(TransactionVerb::kBegin));
  QueryId commit = queries.add(verb(TransactionVerb::kCommit));
  QueryId user = queries.add(by(select_all("users"), "id"));
  QueryId order = queries.add(insert("orders"));
  QueryId item = queries.add(insert("order_items"));
  QueryId stock = queries.add(by(update("products"), "id"));
  QueryId version = queries.add(
      with(insert("schema_migrations"), "system", [](Query& query) { query.system = true; }));
};

const Shop& shop() {
  static const Shop kShop;
  return kShop;
}

How on(uint64_t session, uint64_t transaction = 0) {
  return {.pid = static_cast<int32_t>(session), .session = session, .transaction = transaction};
}

const Case kCases[] = {
    {"two tables, each write by itself",
     [](TraceBuilder& it) {
       it.run(shop().user, 1, on(1, 11))
           .run(shop().order, 1, on(2, 21))
           .run(shop().stock, 1, on(3, 31));
     },
     "update products by id x2 after insert orders"},
    {"the last table's write is what would be missing",
     [](TraceBuilder& it) {
       it.run(shop().order, 1, on(1, 11))
           .run(shop().stock, 1, on(2, 21))
           .run(shop().item, 1, on(3, 31));
     },
     "insert order_items x3 after insert orders"},
    {"a slow service is called between them",
     [](TraceBuilder& it) {
       it.run(shop().order, 1, on(1, 11)).wait(4s).run(shop().stock, 1, on(2, 21));
     },
     "update products by id x2 after insert orders"},
    {"a LiveView's user clicks again",
     [](TraceBuilder& it) {
       it.run(shop().order, 1, on(1, 11)).wait(5s).run(shop().stock, 1, on(2, 21));
     },
     ""},
    {"one of its events writes to two tables",
     [](TraceBuilder& it) {
       it.run(shop().order, 1, on(1, 11)).wait(5s).run(shop().stock, 1, on(2, 21));
       it.run(shop().item, 1, on(3, 31)).wait(5s).run(shop().order, 1, on(1, 41));
     },
     "insert order_items x2 after update products by id"},
    {"one table",
     [](TraceBuilder& it) { it.run(shop().order, 1, on(1, 11)).run(shop().order, 2, on(2, 21)); },
     ""},
    {"a read and a write",
     [](TraceBuilder& it) { it.run(shop().user, 1, on(1, 11)).run(shop().order, 2, on(2, 21)); },
     ""},
    {"Ecto.Multi: all in one transaction",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, on(1, 11)).run(shop().order, 1, on(1, 11));
       it.run(shop().stock, 1, on(1, 11)).run(shop().commit, 0, on(1, 11));
     },
     ""},
    {"the same without virtual transaction ids",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, on(1)).run(shop().order, 1, on(1));
       it.run(shop().stock, 1, on(1)).run(shop().commit, 0, on(1));
     },
     ""},
    {"a log that begins inside the transaction",
     [](TraceBuilder& it) { it.run(shop().order, 1, on(1, 11)).run(shop().stock, 1, on(1, 11)); },
     ""},
    {"one write after the transaction is one table outside of it",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, on(1, 11)).run(shop().order, 1, on(1, 11));
       it.run(shop().commit, 0, on(1, 11)).run(shop().stock, 1, on(1, 12));
     },
     ""},
    {"two are two",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, on(1, 11)).run(shop().order, 1, on(1, 11));
       it.run(shop().commit, 0, on(1, 11)).run(shop().stock, 1, on(1, 12));
       it.run(shop().item, 1, on(2, 22));
     },
     "insert order_items x2 after update products by id"},
    {"a migrator's note",
     [](TraceBuilder& it) { it.run(shop().order, 1, on(1, 11)).run(shop().version, 1, on(2, 21)); },
     ""},
    {"sessions are not logged: nothing is known",
     [](TraceBuilder& it) { it.run(shop().order, 1).run(shop().stock, 1); }, ""},
    {"neither transaction ids nor any BEGIN: only slow statements are logged",
     [](TraceBuilder& it) { it.run(shop().order, 1, on(1)).run(shop().stock, 1, on(2)); }, ""},
};

TEST(NonAtomicWrites, FindsLooseWritesAndLeavesTransactions) {
  expect_said("non_atomic_writes", shop().queries, kCases);
}

TEST(NonAtomicWrites, NeedsToBeSureThatItIsOneRequest) {
  const auto said = [](GroupedBy rung, double confidence) {
    TraceBuilder it;
    it.run(shop().order, 1, on(1, 11)).run(shop().stock, 1, on(2, 21)).grouped(rung, confidence);
    return Probe("non_atomic_writes").judge(it, shop().queries).said(shop().queries);
  };
  EXPECT_NE(said(GroupedBy::kTag, 1), "");
  EXPECT_EQ(said(GroupedBy::kTransaction, 1), "");
  EXPECT_EQ(said(GroupedBy::kChain, 0.3), "");
}

TEST(NonAtomicWrites, TakesItsThreshold) {
  TraceBuilder two;
  two.run(shop().order, 1, on(1, 11)).run(shop().stock, 1, on(2, 21));
  TraceBuilder three;
  three.run(shop().order, 1, on(1, 11))
      .run(shop().stock, 1, on(2, 21))
      .run(shop().item, 1, on(3, 31));
  Probe probe("non_atomic_writes", {{"min_tables", 3}});
  EXPECT_EQ(probe.judge(two, shop().queries).said(shop().queries), "");
  EXPECT_EQ(probe.judge(three, shop().queries).said(shop().queries),
            "insert order_items x3 after insert orders");
  EXPECT_EQ(probe.observations[0].table, "orders");
}

}  // namespace
}  // namespace ectoscope
