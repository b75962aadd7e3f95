#include "trace_builder.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;

struct Shop {
  QueryTable queries{64};
  QueryId users = queries.add(select_all("users"));
  QueryId settings = queries.add(select_all("settings"));
  QueryId tags = queries.add(select_all("tags"));
  QueryId feed = queries.add(select_all("posts", R"("id", "user_id")"));
  QueryId user = queries.add(by(select_all("users"), "id"));
  QueryId posts = queries.add(by(select_all("posts"), "user_id"));
  QueryId comments = queries.add(by(select_all("comments"), "post_id"));
  QueryId preload = queries.add(by(select_all("posts"), "user_id", KeyForm::kList));
  QueryId page =
      queries.add(with(by(select_all("posts"), "user_id"), "next page", [](Query& query) {
        query.range = true;
        query.has_limit = true;
      }));
  QueryId recent = queries.add(
      with(by(select_all("posts"), "user_id"), "since", [](Query& query) { query.range = true; }));
  QueryId count = queries.add(with(by(select_all("posts"), "user_id"), "count",
                                   [](Query& query) { query.aggregate = true; }));
  QueryId catalog = queries.add(with(by(select_all("pg_type"), "typrelid"), "system",
                                     [](Query& query) { query.system = true; }));
  QueryId update_post = queries.add(by(update("posts"), "id"));
};

const Shop& shop() {
  static const Shop kShop;
  return kShop;
}

constexpr How kOneElement{.flags = Execution::kOneElement};
constexpr How kFetch{.flags = Execution::kFetch};

const Case kLoops[] = {
    {"at the threshold", [](TraceBuilder& it) { it.run(shop().users).loop(shop().posts, 5); },
     "posts by user_id x5 after users"},
    {"one below it", [](TraceBuilder& it) { it.run(shop().users).loop(shop().posts, 4); }, ""},
    {"no parent in the log", [](TraceBuilder& it) { it.loop(shop().posts, 6); },
     "posts by user_id x6"},
    {"an aggregate for each row",
     [](TraceBuilder& it) { it.run(shop().users).loop(shop().count, 5); },
     "posts by user_id, count x5 after users"},
    {"a range of each row's children: it is no page without a limit",
     [](TraceBuilder& it) { it.run(shop().users).loop(shop().recent, 5); },
     "posts by user_id, since x5 after users"},
    {"a preload of one record at a time",
     [](TraceBuilder& it) { it.run(shop().users).loop(shop().preload, 5, kOneElement); },
     "posts by list of user_id x5 after users"},
    {"tasks that overlap on five connections",
     [](TraceBuilder& it) {
       it.run(shop().users);
       for (int32_t pid = 1; pid <= 5; ++pid)
         it.run(shop().posts, static_cast<uint64_t>(pid),
                {.duration = 8ms, .gap = -7ms, .pid = pid});
     },
     "posts by user_id x5 after users"},
    {"other queries between the repeats",
     [](TraceBuilder& it) {
       it.run(shop().users);
       for (uint64_t key = 1; key <= 5; ++key)
         it.run(shop().posts, key).run(shop().settings).run(shop().tags);
     },
     "posts by user_id x5 after users"},
    {"the values were not logged",
     [](TraceBuilder& it) { it.run(shop().users).repeat(shop().posts, 0, 5); },
     "posts by user_id x5 after users"},
};

const Case kLookAlikes[] = {
    {"a preload of many is the cure",
     [](TraceBuilder& it) { it.run(shop().users).loop(shop().preload, 9); }, ""},
    {"pages by key set", [](TraceBuilder& it) { it.loop(shop().page, 9); }, ""},
    {"chunks of a cursor", [](TraceBuilder& it) { it.loop(shop().posts, 9, kFetch); }, ""},
    {"the same key is redundant_query's", [](TraceBuilder& it) { it.repeat(shop().posts, 7, 50); },
     ""},
    {"many repeats, but of four keys",
     [](TraceBuilder& it) { it.loop(shop().posts, 4).loop(shop().posts, 4); }, ""},
    {"no key to loop over", [](TraceBuilder& it) { it.loop(shop().settings, 9); }, ""},
    {"the driver reads the catalogue", [](TraceBuilder& it) { it.loop(shop().catalog, 9); }, ""},
    {"writes are n_plus_one_write's", [](TraceBuilder& it) { it.loop(shop().update_post, 9); }, ""},
    {"three shapes of four keys each are no loop of twelve",
     [](TraceBuilder& it) {
       it.loop(shop().posts, 4).loop(shop().comments, 4).loop(shop().user, 4);
     },
     ""},
};

const Case kParents[] = {
    {"a name goes before the nearest place",
     [](TraceBuilder& it) {
       it.run(shop().users).run(shop().settings).run(shop().tags).loop(shop().posts, 5);
     },
     "posts by user_id x5 after users"},
    {"without a name, the latest read before the loop",
     [](TraceBuilder& it) { it.run(shop().settings).run(shop().tags).loop(shop().posts, 5); },
     "posts by user_id x5 after tags"},
    {"a column of the parent names the child: belongs_to",
     [](TraceBuilder& it) { it.run(shop().feed).run(shop().tags).loop(shop().user, 5); },
     "users by id x5 after posts"},
    {"the current user was read before the posts whose authors are: not part of the loop",
     [](TraceBuilder& it) { it.run(shop().user, 99).run(shop().feed).loop(shop().user, 5); },
     "users by id x5 after posts"},
    {"without the current user the authors are too few",
     [](TraceBuilder& it) { it.run(shop().user, 99).run(shop().feed).loop(shop().user, 4); }, ""},
    {"nor are they enough when the values were not logged",
     [](TraceBuilder& it) { it.run(shop().user).run(shop().feed).repeat(shop().user, 0, 4); }, ""},
    {"what ran beside the loop's begin, on another connection, did not lead to it",
     [](TraceBuilder& it) {
       it.run(shop().settings).run(shop().tags, 0, {.duration = 10ms, .gap = -10ms});
       it.run(shop().posts, 1, {.duration = 11ms, .gap = -6ms});
       it.run(shop().posts, 2, {.duration = 7ms}).loop(shop().posts, 5);
     },
     "posts by user_id x7 after settings"},
    {"a stranger between the first and the second repeat is no parent",
     [](TraceBuilder& it) { it.run(shop().posts, 99).run(shop().tags).loop(shop().posts, 5); },
     "posts by user_id x6"},
    {"in a cycle the sibling ran as often, so it is no parent, whatever its name",
     [](TraceBuilder& it) {
       it.run(shop().users);
       for (uint64_t key = 1; key <= 5; ++key)
         it.run(shop().posts, key).run(shop().comments, key);
     },
     "posts by user_id x5 after users\ncomments by post_id x5 after users"},
    {"nested: one finding a level, each after its own parent",
     [](TraceBuilder& it) {
       it.run(shop().users);
       for (uint64_t key = 1; key <= 5; ++key) {
         it.run(shop().posts, key);
         for (uint64_t post = 1; post <= 4; ++post)
           it.run(shop().comments, 10 * key + post);
       }
     },
     "posts by user_id x5 after users\ncomments by post_id x20 after posts by user_id"},
    {"a write led to it: no query is its parent",
     [](TraceBuilder& it) { it.run(shop().update_post, 1).loop(shop().posts, 5); },
     "posts by user_id x5"},
    {"what came after the loop did not lead to it",
     [](TraceBuilder& it) { it.loop(shop().posts, 5).run(shop().users); }, "posts by user_id x5"},
};

TEST(NPlusOneRead, FiresOnALoopOverKeys) {
  expect_said("n_plus_one_read", shop().queries, kLoops);
}

TEST(NPlusOneRead, LeavesHealthyLookAlikesAlone) {
  expect_said("n_plus_one_read", shop().queries, kLookAlikes);
}

TEST(NPlusOneRead, FindsTheQueryThatLedToIt) {
  expect_said("n_plus_one_read", shop().queries, kParents);
}

TEST(NPlusOneRead, OneQueryARequestIsNoLoop) {
  Probe probe("n_plus_one_read");
  for (uint64_t request = 1; request <= 50; ++request) {
    TraceBuilder trace;
    trace.number(request).run(shop().users).run(shop().posts, request);
    probe.judge(trace, shop().queries);
  }
  EXPECT_EQ(probe.said(shop().queries), "");
}

TEST(NPlusOneRead, CountsWhatItCosts) {
  TraceBuilder trace;
  trace.run(shop().users, 0, {.pid = 7}).loop(shop().posts, 5, {.duration = 2ms, .pid = 5});
  trace.run(shop().posts, 6, {.duration = 10ms, .pid = 6});
  Probe probe("n_plus_one_read");
  probe.judge(trace, shop().queries);
  ASSERT_EQ(probe.observations.size(), 1U);
  const Observation& seen = probe.observations[0];
  EXPECT_EQ(seen.repeats, 6U);
  EXPECT_EQ(seen.statements, 6U) << "the children";
  EXPECT_EQ(seen.leading, 1U) << "the parent";
  EXPECT_EQ(seen.excess_statements, 5U) << "one query stays";
  EXPECT_EQ(seen.database_time, 20ms) << "the children's";
  EXPECT_EQ(seen.saved, 10ms) << "the one that stays costs what the dearest did";
  EXPECT_EQ(seen.started_at, trace.executions().front().started_at) << "the parent's start";
  EXPECT_EQ(seen.ended_at, trace.executions().back().ended_at) << "the last child's end";
  EXPECT_EQ(seen.pids, (std::vector<int32_t>{5, 6, 7}));
  EXPECT_EQ(seen.evidence.at("repeats"), 6);
  EXPECT_EQ(seen.evidence.at("distinct_keys"), 6);
}

TEST(NPlusOneRead, NamesTheRemedy) {
  for (const auto& [why, child, remedy] :
       {std::tuple("rows are preloaded", shop().posts, Remedy::kPreload),
        std::tuple("figures are grouped", shop().count, Remedy::kGroupBy)}) {
    TraceBuilder trace;
    trace.run(shop().users).loop(child, 5);
    Probe probe("n_plus_one_read");
    probe.judge(trace, shop().queries);
    ASSERT_EQ(probe.observations.size(), 1U) << why;
    EXPECT_EQ(probe.observations[0].remedy, remedy) << why;
  }
}

TEST(NPlusOneRead, IsCriticalWhenManyAndSlow) {
  struct Row {
    const char* why;
    uint64_t repeats;
    Micros each;
    Severity severity;
  };
  for (const Row& row : {
           Row{"20 repeats and 100 ms", 20, 5ms, Severity::kCritical},
           Row{"100 ms, but 19 repeats", 19, 6ms, Severity::kWarning},
           Row{"20 repeats, but 99.98 ms", 20, 4'999us, Severity::kWarning},
       }) {
    TraceBuilder trace;
    trace.run(shop().users).loop(shop().posts, row.repeats, {.duration = row.each});
    Probe probe("n_plus_one_read");
    probe.judge(trace, shop().queries);
    ASSERT_EQ(probe.observations.size(), 1U) << row.why;
    EXPECT_EQ(probe.observations[0].severity, row.severity) << row.why;
  }
}

TEST(NPlusOneRead, IsAsSureAsItsGroundsAre) {
  const auto confidence = [](GroupedBy rung, double grouping, bool parent, bool parameters) {
    TraceBuilder trace;
    trace.grouped(rung, grouping);
    if (parent) trace.run(shop().users);
    if (parameters) {
      trace.loop(shop().posts, 5);
    } else {
      trace.repeat(shop().posts, 0, 5);
    }
    Probe probe("n_plus_one_read");
    probe.judge(trace, shop().queries);
    return probe.observations.empty() ? 0 : probe.observations[0].confidence;
  };
  const double best = confidence(GroupedBy::kTraceparent, 1, true, true);
  EXPECT_GT(best, 0.95);
  EXPECT_LE(best, 1);
  EXPECT_LT(confidence(GroupedBy::kTraceparent, 1, true, false), best) << "values not logged";
  EXPECT_LT(confidence(GroupedBy::kTraceparent, 1, false, true), best) << "no parent";
  double above = best;
  for (const GroupedBy rung : {GroupedBy::kTag, GroupedBy::kTransaction, GroupedBy::kChain}) {
    const double here = confidence(rung, 1, true, true);
    EXPECT_LT(here, above) << name_of(rung) << " is a weaker rung than the one above it";
    above = here;
  }
  EXPECT_LT(confidence(GroupedBy::kChain, 0.7, true, true), above) << "grouping's own doubt";
  EXPECT_GT(confidence(GroupedBy::kChain, 0.7, true, true), 0) << "just sure enough to speak";
  EXPECT_EQ(confidence(GroupedBy::kChain, 0.69, true, true), 0) << "too unsure to speak";
}

TEST(NPlusOneRead, CountsExactlyWhatTheTraceDidNotKeep) {
  TraceBuilder trace;
  trace.run(shop().users).loop(shop().posts, 200, {.duration = 2ms}).keep(10);
  Probe probe("n_plus_one_read");
  probe.judge(trace, shop().queries);
  ASSERT_EQ(probe.said(shop().queries), "posts by user_id x200 after users: critical");
  EXPECT_EQ(probe.observations[0].excess_statements, 199U);
  EXPECT_EQ(probe.observations[0].database_time, 400ms);
  EXPECT_EQ(probe.observations[0].saved, 398ms);

  TraceBuilder authors;
  authors.run(shop().user, 99, {.duration = 50ms}).run(shop().feed);
  authors.loop(shop().user, 200, {.duration = 2ms}).keep(10);
  Probe author_probe("n_plus_one_read");
  author_probe.judge(authors, shop().queries);
  ASSERT_EQ(author_probe.said(shop().queries), "users by id x200 after posts: critical")
      << "the look-up before the parent is not counted here either";
  EXPECT_EQ(author_probe.observations[0].database_time, 400ms) << "nor is its time";
}

TEST(NPlusOneRead, TakesItsThresholdsFromTheOptions) {
  TraceBuilder trace;
  trace.run(shop().users).loop(shop().posts, 3);
  const auto said = [&](const Overrides& overrides) {
    return Probe("n_plus_one_read", overrides).judge(trace, shop().queries).said(shop().queries);
  };
  EXPECT_EQ(said({{"min_repeats", 3}}), "posts by user_id x3 after users");
  EXPECT_EQ(said({{"min_repeats", 4}}), "");
  EXPECT_EQ(said({{"min_repeats", 3}, {"critical_repeats", 3}, {"critical_time", 3'000}}),
            "posts by user_id x3 after users: critical");
  trace.grouped(GroupedBy::kChain, 0.4);
  EXPECT_EQ(said({{"min_repeats", 3}, {"min_grouping_confidence", 0.4}}),
            "posts by user_id x3 after users");
}

TEST(NPlusOneRead, NamesTheColumnsThatVary) {
  QueryTable queries{8};
  Query stock = by(select_all("stock"), "warehouse_id");
  stock.predicates = {{"stock", "warehouse_id", "=", 1, false, false, false},
                      {"stock", "sku", "=", 2, false, false, false}};
  const QueryId two = queries.add(stock);
  stock.text += " far";
  stock.predicates[1].slot = 5;
  const QueryId far = queries.add(stock);
  stock.text += " off";
  stock.predicates[1] = {"", "sku", "=", 2, false, false, false};
  const QueryId unknown = queries.add(stock);
  using Columns = std::vector<std::string>;
  struct Row {
    const char* why;
    QueryId query;
    uint32_t warehouse;  // 0: each run has its own, as with the sku
    uint32_t sku;
    bool known;
    Columns columns;
  };
  for (const Row& row : {
           Row{"the key alone, as its name says", two, 0, 7, true, {}},
           Row{"the other alone", two, 7, 0, true, {"stock.sku"}},
           Row{"both, the key first", two, 0, 0, true, {"stock.warehouse_id", "stock.sku"}},
           Row{"a value was not logged", two, 7, 0, false, {}},
           Row{"a slot whose values are not kept", far, 7, 0, true, {}},
           Row{"a column of nobody knows which table", unknown, 7, 0, true, {}},
       }) {
    std::vector<Execution> executions;
    TraceBuilder builder;
    builder.loop(row.query, 5);
    executions = builder.executions();
    for (uint32_t i = 0; i < executions.size(); ++i) {
      executions[i].values = {row.warehouse == 0 ? 100 + i : row.warehouse,
                              row.sku == 0 ? 200 + i : row.sku, 0, 0};
      if (!row.known && i == 3) executions[i].values[1] = 0;
    }
    Trace trace = builder.trace();
    trace.executions = executions;
    Probe probe("n_plus_one_read");
    probe.judge(trace, queries);
    ASSERT_EQ(probe.observations.size(), 1U) << row.why;
    EXPECT_EQ(probe.observations[0].columns, row.columns) << row.why;
  }
}

TEST(NPlusOneRead, SaysItInOneSentence) {
  Finding finding;
  finding.query.summary = "SELECT posts";
  finding.parent_query = QueryFacts{"", {}, "", "SELECT users"};
  finding.occurrences = 12;
  finding.statements = 1'200;
  finding.excess_statements = 1'188;
  finding.saved = 290'400us;
  auto* const summarize = detector_named("n_plus_one_read").summarize;
  EXPECT_EQ(summarize(finding),
            "12 requests ran SELECT posts 100 times on average, once for each key, after SELECT "
            "users: 1,188 statements and 290 ms of database time too many.");
  finding.parent_query.reset();
  finding.occurrences = 1;
  finding.statements = 5;
  finding.excess_statements = 4;
  finding.saved = 1'240us;
  EXPECT_EQ(summarize(finding),
            "1 request ran SELECT posts 5 times, once for each key: 4 statements and 1.2 ms of "
            "database time too many.");
}

}  // namespace
}  // namespace ectoscope
