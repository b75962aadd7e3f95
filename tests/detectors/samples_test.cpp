// What slow_query, over_fetch and n_plus_one_read make of pg_stat_statements.
#include "plan_maker.h"
#include "sample_builder.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;
using Log = InputFidelity::Statements;

struct Shop {
  QueryTable queries{64};
  QueryId users = queries.add(select_all("users"));
  QueryId posts_of_user = queries.add(by(select_all("posts"), "user_id"));
  QueryId posts_of_users = queries.add(by(select_all("posts"), "user_id", KeyForm::kList));
  QueryId posts = queries.add(select_all("posts", "\"id\", \"user_id\""));
  QueryId user = queries.add(by(select_all("users"), "id"));
  QueryId orders = queries.add(select_all("orders"));
  QueryId count_posts = queries.add(with(by(select_all("posts"), "user_id"), "count",
                                         [](Query& query) { query.aggregate = true; }));
};

const Shop& shop() {
  static const Shop kShop;
  return kShop;
}

TEST(SlowQueryFromSamples, IsAShapeWhoseMeanIsSlow) {
  Probe probe("slow_query");
  auto poll = PollBuilder(0).ran(shop().users, 10, 99'999us).ran(shop().posts, 7, 100ms);
  poll.ran(shop().orders, 3, 2s);
  probe.poll(poll.samples(), shop().queries);
  EXPECT_EQ(probe.said(shop().queries), "posts x1\norders x1: critical");
  EXPECT_EQ(probe.observations[0].statements, 7U);
  EXPECT_EQ(probe.observations[0].database_time, 700ms);
  EXPECT_EQ(probe.observations[0].evidence.at("max_mean_ms"), 100);
}

TEST(SlowQueryFromSamples, LeavesItToALogThatShowsIt) {
  const struct {
    Log log;
    size_t said;
  } cases[] = {{Log::kAll, 0}, {Log::kSlowOnly, 0}, {Log::kSampled, 1}, {Log::kNone, 1}};
  for (const auto& it : cases) {
    Probe probe("slow_query");
    const auto poll = PollBuilder(0).ran(shop().posts, 7, 150ms).log(it.log);
    probe.poll(poll.samples(), shop().queries);
    EXPECT_EQ(probe.observations.size(), it.said) << static_cast<int>(it.log);
  }
}

TEST(SlowQueryFromSamples, SaysWhatWasCounted) {
  Finding finding;
  finding.query.summary = "SELECT posts";
  finding.occurrences = 1'200;
  finding.database_time = 180s;
  finding.evidence["max_mean_ms"] = 170;
  EXPECT_EQ(detector_named("slow_query").summarize(finding),
            "SELECT posts takes 150 ms in the mean, over 1,200 calls that pg_stat_statements "
            "counted.");
}

TEST(OverFetchFromSamples, IsAShapeThatBringsManyRowsInTheMean) {
  Probe probe("over_fetch");
  auto poll = PollBuilder(0).ran(shop().users, 10, 50ms, 19'999).ran(shop().posts, 7, 50ms, 14'000);
  poll.ran(shop().orders, 3, 2s, 300'000);
  probe.poll(poll.samples(), shop().queries);
  EXPECT_EQ(probe.said(shop().queries), "posts x1\norders x1: critical");
  EXPECT_EQ(probe.observations[0].statements, 7U);
  EXPECT_EQ(probe.observations[0].database_time, 350ms);
  EXPECT_EQ(probe.observations[0].evidence.at("rows_returned"), 2000);
  EXPECT_LT(probe.observations[0].confidence, 0.95) << "less sure than a plan";
  ASSERT_EQ(probe.near_misses.size(), 1U);
  EXPECT_EQ(probe.near_misses[0].query, shop().users);
  EXPECT_EQ(probe.near_misses[0].option, "min_rows");
}

TEST(OverFetchFromSamples, IsNotWhatIsBoundedOrQuick) {
  QueryTable queries(8);
  const QueryId posts = queries.add(select_all("posts"));
  const QueryId change = queries.add(update("posts"));
  const QueryId count =
      queries.add(with(select_all("posts"), "count", [](Query& query) { query.aggregate = true; }));
  const QueryId page =
      queries.add(with(select_all("posts"), "page", [](Query& query) { query.has_limit = true; }));
  Probe probe("over_fetch");
  auto poll = PollBuilder(0).ran(change, 1, 1s, 50'000).ran(count, 1, 1s, 50'000);
  poll.ran(page, 1, 1s, 50'000).ran(posts, 5, 9'999us, 50'000);
  probe.poll(poll.samples(), queries);
  EXPECT_EQ(probe.said(queries), "");
  EXPECT_TRUE(probe.near_misses.empty());
}

TEST(OverFetchFromSamples, LeavesItToPlans) {
  QueryTable queries(8);
  const auto reading = [](const std::string& text, const std::string& canonical) {
    Query query = select_all("posts");
    query.text = text;
    query.canonical = canonical;
    return query;
  };
  const QueryId logged = queries.add(reading("with a literal", "posts of a state"));
  const QueryId sampled = queries.add(reading("with a parameter", "posts of a state"));
  const QueryId unplanned = queries.add(reading("another", "posts of a user"));
  Probe probe("over_fetch");
  const auto plan = PlanMaker().node(PlanNodeType::kSeqScan, {.found = 5}, "posts").make();
  probe.explain(plan, ran(queries[logged], 1ms), queries[logged]);
  auto poll = PollBuilder(0).ran(sampled, 1, 50ms, 5'000).ran(unplanned, 1, 50ms, 5'000);
  probe.poll(poll.samples(), queries);
  ASSERT_EQ(probe.observations.size(), 1U);
  EXPECT_EQ(probe.observations[0].query, unplanned);
}

/// A page of 20 users, whose posts are looked up for each.
PollBuilder n_plus_one(int64_t number, uint64_t requests) {
  PollBuilder poll(number);
  poll.ran(shop().users, requests, 1ms, 20 * requests);
  poll.ran(shop().posts_of_user, 20 * requests, 200us, 60 * requests);
  return poll;
}

TEST(NPlusOneSuspect, RunsAsOftenAsItsParentGivesRows) {
  Probe probe("n_plus_one_read");
  for (int64_t i = 0; i < 2; ++i)
    probe.poll(n_plus_one(i, 10).samples(), shop().queries);
  EXPECT_TRUE(probe.observations.empty());
  probe.poll(n_plus_one(2, 13).samples(), shop().queries);
  EXPECT_EQ(probe.said(shop().queries), "posts by user_id x20 after users: info");
  const Observation& seen = probe.observations[0];
  EXPECT_LT(seen.confidence, 0.5);
  EXPECT_EQ(seen.statements, 260U);
  EXPECT_EQ(seen.excess_statements, 247U);
  EXPECT_EQ(seen.database_time, 52ms);
  EXPECT_EQ(seen.saved, 52ms - 13 * 200us);
  EXPECT_EQ(seen.remedy, Remedy::kPreload);
}

TEST(NPlusOneSuspect, BelongsToCountsToo) {
  Probe probe("n_plus_one_read");
  for (int64_t i = 0; i < 3; ++i) {
    const auto poll =
        PollBuilder(i).ran(shop().posts, 10, 1ms, 100).ran(shop().user, 96, 100us, 96);
    probe.poll(poll.samples(), shop().queries);
  }
  EXPECT_EQ(probe.said(shop().queries), "users by id x9 after posts: info");
}

TEST(NPlusOneSuspect, AggregateIsGroupedBy) {
  Probe probe("n_plus_one_read");
  for (int64_t i = 0; i < 3; ++i) {
    const auto poll =
        PollBuilder(i).ran(shop().users, 10, 1ms, 200).ran(shop().count_posts, 200, 1ms, 200);
    probe.poll(poll.samples(), shop().queries);
  }
  ASSERT_EQ(probe.observations.size(), 1U);
  EXPECT_EQ(probe.observations[0].remedy, Remedy::kGroupBy);
}

TEST(NPlusOneSuspect, DoesNotFireOnItsLookAlikes) {
  const struct {
    const char* what;
    std::function<PollBuilder(int64_t)> poll;
  } cases[] = {
      {"a preload",
       [](int64_t i) {
         return PollBuilder(i)
             .ran(shop().users, 100, 1ms, 2'000)
             .ran(shop().posts_of_users, 100, 1ms, 2'000);
       }},
      {"one look-up a request, which lists nothing like it",
       [](int64_t i) {
         return PollBuilder(i)
             .ran(shop().orders, 100, 1ms, 2'000)
             .ran(shop().user, 2'000, 1ms, 2'000);
       }},
      {"as often as the parent runs, not as it gives rows",
       [](int64_t i) {
         return PollBuilder(i).ran(shop().posts, 100, 1ms, 2'000).ran(shop().user, 100, 1ms, 100);
       }},
      {"a parent of few rows",
       [](int64_t i) {
         return PollBuilder(i)
             .ran(shop().users, 100, 1ms, 499)
             .ran(shop().posts_of_user, 499, 1ms, 499);
       }},
      {"not the same number",
       [](int64_t i) {
         return PollBuilder(i)
             .ran(shop().users, 100, 1ms, 2'000)
             .ran(shop().posts_of_user, 1'700, 1ms, 1'700);
       }},
      {"too few to tell",
       [](int64_t i) {
         return PollBuilder(i).ran(shop().users, 2, 1ms, 40).ran(shop().posts_of_user, 40, 1ms, 40);
       }},
      {"every second poll", [](int64_t i) { return n_plus_one(i, i % 2 == 0 ? 10 : 2); }},
      {"a log that shows all", [](int64_t i) { return n_plus_one(i, 10).log(Log::kAll); }},
  };
  for (const auto& it : cases) {
    Probe probe("n_plus_one_read");
    for (int64_t i = 0; i < 8; ++i)
      probe.poll(it.poll(i).samples(), shop().queries);
    EXPECT_EQ(probe.said(shop().queries), "") << it.what;
  }
}

TEST(NPlusOneSuspect, OtherDatabasesDoNotInterrupt) {
  Probe probe("n_plus_one_read");
  for (int64_t i = 0; i < 3; ++i) {
    probe.poll(n_plus_one(i, 10).samples(), shop().queries);
    const auto other = PollBuilder(i, 6).ran(shop().orders, 5, 1ms, 5);
    probe.poll(other.samples(), shop().queries);
  }
  EXPECT_EQ(probe.observations.size(), 1U);
}

}  // namespace
}  // namespace ectoscope
