#include "trace_builder.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;

struct Shop {
  QueryTable queries{16};
  QueryId users = queries.add(select_all("users"));
  QueryId posts = queries.add(by(select_all("posts"), "user_id"));
  QueryId insert_item = queries.add(insert("items"));
  QueryId begin = queries.add(verb(TransactionVerb::kBegin));
  QueryId commit = queries.add(verb(TransactionVerb::kCommit));
};

const Shop& shop() {
  static const Shop kShop;
  return kShop;
}

/// The log names the session, and the request is silent for `gap` after each statement.
How paced(Micros gap) {
  How how;
  how.gap = gap;
  how.session = 1;
  return how;
}

const Case kReads[] = {
    {"a LiveView that reads another row every second",
     [](TraceBuilder& it) { it.run(shop().users, 0, paced(1s)).loop(shop().posts, 50, paced(1s)); },
     ""},
    {"just within a pause", [](TraceBuilder& it) { it.loop(shop().posts, 5, paced(499'999us)); },
     "posts by user_id x5: info"},
    {"just a pause", [](TraceBuilder& it) { it.loop(shop().posts, 5, paced(500ms)); }, ""},
    {"each event is a loop",
     [](TraceBuilder& it) {
       for (int event = 0; event < 3; ++event)
         it.run(shop().users, 0, paced(1ms)).loop(shop().posts, 6, paced(1ms)).wait(5s);
     },
     "posts by user_id x18 after users"},
    {"one event is a loop, the others read a row each",
     [](TraceBuilder& it) {
       it.loop(shop().posts, 3, paced(1s)).loop(shop().posts, 6, paced(1ms));
       it.wait(5s).loop(shop().posts, 4, paced(2s));
     },
     "posts by user_id x6"},
    {"half of a loop before a pause, and half after it",
     [](TraceBuilder& it) {
       it.loop(shop().posts, 4, paced(1ms)).wait(1s).loop(shop().posts, 4, paced(1ms));
     },
     ""},
    {"a pause in a transaction: it is one piece of work",
     [](TraceBuilder& it) {
       it.run(shop().begin, 0, paced(1ms)).loop(shop().posts, 3, paced(1ms)).wait(2s);
       it.loop(shop().posts, 5, paced(1ms)).run(shop().commit, 0, paced(1ms));
     },
     "posts by user_id x8: info"},
    {"another statement runs all the time: no pause",
     [](TraceBuilder& it) {
       for (uint64_t key = 1; key <= 5; ++key) {
         it.run(shop().posts, key, paced(1ms));
         it.run(shop().users, 0, {.duration = 700ms, .session = 1});
       }
     },
     "posts by user_id x5"},
    {"the log does not tell sessions, so there may be a transaction",
     [](TraceBuilder& it) { it.loop(shop().posts, 5, {.gap = 1s}); }, "posts by user_id x5: info"},
    {"grouping joined it by evidence, which has limits of its own",
     [](TraceBuilder& it) {
       it.grouped(GroupedBy::kChain, 0.9).loop(shop().posts, 5, paced(600ms));
     },
     "posts by user_id x5"},
    {"at a patient pace", [](TraceBuilder& it) { it.loop(shop().posts, 5, paced(100'001us)); },
     "posts by user_id x5: info"},
    {"at a slow request's", [](TraceBuilder& it) { it.loop(shop().posts, 5, paced(100ms)); },
     "posts by user_id x5"},
};

const Case kWrites[] = {
    {"a consumer that stores a reading now and then",
     [](TraceBuilder& it) { it.loop(shop().insert_item, 50, paced(700ms)); }, ""},
    {"a batch that it stores row by row",
     [](TraceBuilder& it) {
       it.loop(shop().insert_item, 3, paced(700ms)).loop(shop().insert_item, 8, paced(2ms));
     },
     "insert items x8"},
    {"a service is called for each row",
     [](TraceBuilder& it) { it.loop(shop().insert_item, 30, paced(200ms)); },
     "insert items x30: info"},
};

const Case kSame[] = {
    {"a tick a second", [](TraceBuilder& it) { it.repeat(shop().posts, 7, 50, paced(1s)); }, ""},
    {"three times in one event",
     [](TraceBuilder& it) {
       it.repeat(shop().posts, 7, 3, paced(1ms)).wait(1s).repeat(shop().posts, 7, 2, paced(1ms));
     },
     "posts by user_id x3"},
    {"waiting for a change, 400 ms apart",
     [](TraceBuilder& it) { it.repeat(shop().posts, 7, 4, paced(400ms)); },
     "posts by user_id x4: info"},
};

TEST(Pauses, PartsEventsOfOneTagFromEachOther) {
  expect_said("n_plus_one_read", shop().queries, kReads);
  expect_said("n_plus_one_write", shop().queries, kWrites);
  expect_said("redundant_query", shop().queries, kSame);
}

TEST(Pauses, CountWhatTheTraceDidNotKeepLikeWhatItKept) {
  TraceBuilder trace;
  for (int event = 0; event < 50; ++event)
    trace.loop(shop().posts, 6, paced(1ms)).wait(1s).run(shop().posts, 1, paced(1ms)).wait(1s);
  trace.keep(70);
  Probe probe("n_plus_one_read");
  EXPECT_EQ(probe.judge(trace, shop().queries).said(shop().queries), "posts by user_id x300");
  EXPECT_EQ(probe.observations[0].database_time, 300ms);
}

TEST(Pauses, ManyEventsMakeNoLoopCritical) {
  TraceBuilder trace;
  for (int event = 0; event < 100; ++event)
    trace.loop(shop().posts, 19, {.duration = 6ms, .session = 1}).wait(1s);
  EXPECT_EQ(Probe("n_plus_one_read").judge(trace, shop().queries).said(shop().queries),
            "posts by user_id x1900");
  Probe probe("n_plus_one_read");
  EXPECT_EQ(probe.judge(trace, shop().queries).observations[0].excess_statements, 1'800U)
      << "each event needs one statement";
  trace.loop(shop().posts, 20, {.duration = 6ms, .session = 1});
  EXPECT_EQ(Probe("n_plus_one_read").judge(trace, shop().queries).said(shop().queries),
            "posts by user_id x1920: critical");
}

TEST(Pauses, AreToldOfAsANearMiss) {
  TraceBuilder trace;
  trace.loop(shop().posts, 3, paced(1ms)).wait(1s).loop(shop().posts, 4, paced(1ms));
  Probe probe("n_plus_one_read");
  probe.judge(trace, shop().queries);
  ASSERT_EQ(probe.near_misses.size(), 1U);
  EXPECT_EQ(probe.near_misses[0].option, "min_repeats");
  EXPECT_EQ(probe.near_misses[0].value, 4);
  EXPECT_EQ(probe.near_misses[0].wanted, 5);
}

}  // namespace
}  // namespace ectoscope
