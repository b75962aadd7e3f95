#include "trace_builder.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;

struct Shop {
  QueryTable queries{64};
  QueryId orders = queries.add(by(select_all("orders"), "user_id"));
  QueryId update_order = queries.add(by(update("orders"), "id"));
  QueryId commit = queries.add(verb(TransactionVerb::kCommit));
  QueryId catalog = queries.add(
      with(select_all("pg_class"), "system", [](Query& query) { query.system = true; }));
};

const Shop& shop() {
  static const Shop kShop;
  return kShop;
}

const Case kCases[] = {
    {"at the threshold", [](TraceBuilder& it) { it.run(shop().orders, 1, {.duration = 100ms}); },
     "orders by user_id x1"},
    {"a microsecond below it",
     [](TraceBuilder& it) { it.run(shop().orders, 1, {.duration = 99'999us}); }, ""},
    {"parse 60 ms, bind 10 ms and execute 30 ms: none is slow alone, the sum is",
     [](TraceBuilder& it) { it.run(shop().orders, 1, {.duration = 60ms + 10ms + 30ms}); },
     "orders by user_id x1"},
    {"one below one second is a warning",
     [](TraceBuilder& it) { it.run(shop().orders, 1, {.duration = 999'999us}); },
     "orders by user_id x1"},
    {"from one second on it is critical",
     [](TraceBuilder& it) { it.run(shop().orders, 1, {.duration = 1s}); },
     "orders by user_id x1: critical"},
    {"each slow run is an occurrence, the fast ones between are not",
     [](TraceBuilder& it) {
       it.run(shop().orders, 1, {.duration = 150ms}).run(shop().orders, 1);
       it.run(shop().orders, 2, {.duration = 150ms}).run(shop().orders, 2);
     },
     "orders by user_id x1\norders by user_id x1"},
    {"a hundred fast ones are not slow together",
     [](TraceBuilder& it) { it.loop(shop().orders, 100, {.duration = 99ms}); }, ""},
    {"a pause between two statements is no statement's duration",
     [](TraceBuilder& it) { it.run(shop().orders, 1).wait(5s).run(shop().orders, 1); }, ""},
    {"without log_duration nothing is known",
     [](TraceBuilder& it) {
       it.run(shop().orders, 1, {.duration = 500ms, .flags = Execution::kNoDuration});
     },
     ""},
    {"seen through its plan alone",
     [](TraceBuilder& it) {
       it.run(shop().orders, 1, {.duration = 150ms, .flags = Execution::kPlanOnly});
     },
     "orders by user_id x1"},
    {"the plan of a fast one was logged, too",
     [](TraceBuilder& it) {
       it.run(shop().orders, 1, {.duration = 20ms, .flags = Execution::kHasPlan});
     },
     ""},
    {"one slow chunk of a cursor",
     [](TraceBuilder& it) {
       it.run(shop().orders, 1, {.duration = 150ms, .flags = Execution::kFetch});
     },
     "orders by user_id x1"},
    {"writes wait, too: for a lock, say",
     [](TraceBuilder& it) { it.run(shop().update_order, 1, {.duration = 2s}); },
     "update orders by id x1: critical"},
    {"a commit that waits for the disk",
     [](TraceBuilder& it) { it.run(shop().commit, 0, {.duration = 150ms}); }, "transaction x1"},
    {"a slow query of the driver's is as slow as any",
     [](TraceBuilder& it) { it.run(shop().catalog, 0, {.duration = 150ms}); },
     "pg_class, system x1"},
    {"the rung does not matter: one execution is enough",
     [](TraceBuilder& it) {
       it.grouped(GroupedBy::kNone, 0).run(shop().orders, 1, {.duration = 150ms});
     },
     "orders by user_id x1"},
};

TEST(SlowQuery, FiresOnWhatReachesTheLimitAndOnNothingElse) {
  expect_said("slow_query", shop().queries, kCases);
}

TEST(SlowQuery, TrustsTheLoggedDurationNotTheStamps) {
  // Stamps of whole seconds can lie one second apart around a fast statement.
  Execution execution;
  execution.query = shop().orders;
  execution.flags = Execution::kCoarseTime;
  execution.duration = 5ms;
  execution.ended_at = execution.started_at + 1s;
  Probe probe("slow_query");
  const DetectorEntry& entry = detector_named("slow_query");
  const auto detector = entry.make(Options(entry.options));
  detector->on_execution(execution, shop().queries[shop().orders], probe);
  EXPECT_EQ(probe.said(shop().queries), "");
  execution.duration = 105ms;
  detector->on_execution(execution, shop().queries[shop().orders], probe);
  EXPECT_EQ(probe.said(shop().queries), "orders by user_id x1");
}

TEST(SlowQuery, TellsWhatItSaw) {
  TraceBuilder trace;
  trace.run(shop().orders, 1, {.duration = 150ms, .pid = 42});
  Probe probe("slow_query");
  probe.judge(trace, shop().queries);
  ASSERT_EQ(probe.observations.size(), 1U);
  const Observation& seen = probe.observations[0];
  EXPECT_EQ(seen.remedy, Remedy::kReadPlan);
  EXPECT_EQ(seen.confidence, 1);
  EXPECT_EQ(seen.statements, 1U);
  EXPECT_EQ(seen.excess_statements, 0U) << "it has to run all the same";
  EXPECT_EQ(seen.database_time, 150ms);
  EXPECT_EQ(seen.saved, 0us) << "what an index would save is not known here";
  EXPECT_EQ(seen.started_at, trace.executions()[0].started_at);
  EXPECT_EQ(seen.ended_at, trace.executions()[0].ended_at);
  EXPECT_EQ(seen.pids, std::vector<int32_t>{42});
}

TEST(SlowQuery, LeavesOutAPidThatWasNotLogged) {
  TraceBuilder trace;
  trace.run(shop().orders, 1, {.duration = 150ms, .pid = 0});
  Probe probe("slow_query");
  probe.judge(trace, shop().queries);
  ASSERT_EQ(probe.observations.size(), 1U);
  EXPECT_TRUE(probe.observations[0].pids.empty());
}

TEST(SlowQuery, TakesItsThresholdsFromTheOptions) {
  TraceBuilder trace;
  trace.run(shop().orders, 1, {.duration = 20ms});
  const auto said = [&](const Overrides& overrides) {
    return Probe("slow_query", overrides).judge(trace, shop().queries).said(shop().queries);
  };
  EXPECT_EQ(said({{"min_duration", 20'000}}), "orders by user_id x1");
  EXPECT_EQ(said({{"min_duration", 20'001}}), "");
  EXPECT_EQ(said({{"min_duration", 10'000}, {"critical_duration", 20'000}}),
            "orders by user_id x1: critical");
}

TEST(SlowQuery, SaysItInOneSentence) {
  Finding finding;
  finding.query.summary = "SELECT orders";
  finding.occurrences = 3;
  finding.database_time = 1'650ms;
  finding.examples.resize(2);
  finding.examples[0].duration = 1'250ms;
  finding.examples[1].duration = 200ms;
  EXPECT_EQ(detector_named("slow_query").summarize(finding),
            "SELECT orders was slow 3 times: 550 ms in the mean, 1.2 s at worst.");
}

}  // namespace
}  // namespace ectoscope
