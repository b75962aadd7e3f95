#include "trace_builder.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;

struct Shop {
  QueryTable queries{64};
  QueryId settings = queries.add(by(select_all("settings"), "user_id"));
  QueryId user = queries.add(by(select_all("users"), "id"));
  QueryId posts = queries.add(by(select_all("posts"), "user_id"));
  QueryId comments = queries.add(by(select_all("comments"), "post_id", KeyForm::kList));
  QueryId menu = queries.add(select_all("menu"));
  QueryId footer = queries.add(select_all("footer"));
  QueryId banner = queries.add(select_all("banner"));
  QueryId joined = queries.add(with(select_all("carts"), "join settings",
                                    [](Query& query) { query.tables.emplace_back("settings"); }));
  QueryId locked = queries.add(with(by(select_all("settings"), "user_id"), "for update",
                                    [](Query& query) { query.locks_rows = true; }));
  QueryId catalog =
      queries.add(with(select_all("pg_type"), "system", [](Query& query) { query.system = true; }));
  QueryId update_settings = queries.add(by(update("settings"), "id"));
  QueryId insert_event = queries.add(insert("events"));
  QueryId begin = queries.add(verb(TransactionVerb::kBegin));
  QueryId commit = queries.add(verb(TransactionVerb::kCommit));
};

const Shop& shop() {
  static const Shop kShop;
  return kShop;
}

const Case kCases[] = {
    {"three times the same", [](TraceBuilder& it) { it.repeat(shop().settings, 7, 3); },
     "settings by user_id x3"},
    {"twice is common and cheap", [](TraceBuilder& it) { it.repeat(shop().settings, 7, 2); }, ""},
    {"three users' settings are three questions",
     [](TraceBuilder& it) { it.loop(shop().settings, 3); }, ""},
    {"the key is the same, another parameter is not",
     [](TraceBuilder& it) {
       for (uint64_t parameter = 1; parameter <= 3; ++parameter)
         it.run(shop().settings, 7, {.parameters = parameter});
     },
     ""},
    {"values not logged: nobody can tell",
     [](TraceBuilder& it) { it.repeat(shop().settings, 0, 9); }, ""},
    {"its table was written between: the answer may have changed",
     [](TraceBuilder& it) {
       it.repeat(shop().settings, 7, 2).run(shop().update_settings, 1);
       it.repeat(shop().settings, 7, 2);
     },
     ""},
    {"a joined table was written between",
     [](TraceBuilder& it) {
       it.repeat(shop().joined, 7, 2).run(shop().update_settings, 1).repeat(shop().joined, 7, 2);
     },
     ""},
    {"a write of its table ends a run, and the next run starts anew",
     [](TraceBuilder& it) {
       it.repeat(shop().settings, 7, 3).run(shop().update_settings, 1);
       it.repeat(shop().settings, 7, 2);
     },
     "settings by user_id x3"},
    {"another table was written between",
     [](TraceBuilder& it) {
       it.repeat(shop().settings, 7, 2).run(shop().insert_event, 1).run(shop().settings, 7);
     },
     "settings by user_id x3"},
    {"other queries and a transaction between",
     [](TraceBuilder& it) {
       it.run(shop().settings, 7).run(shop().user, 1).run(shop().begin);
       it.run(shop().settings, 7).run(shop().commit).run(shop().menu, 1).run(shop().settings, 7);
     },
     "settings by user_id x3"},
    {"row locks are asked for anew on purpose",
     [](TraceBuilder& it) { it.repeat(shop().locked, 7, 9); }, ""},
    {"chunks of a cursor",
     [](TraceBuilder& it) { it.repeat(shop().settings, 7, 9, {.flags = Execution::kFetch}); }, ""},
    {"the driver reads the catalogue", [](TraceBuilder& it) { it.repeat(shop().catalog, 7, 9); },
     ""},
    {"writes", [](TraceBuilder& it) { it.repeat(shop().update_settings, 7, 9); }, ""},
    {"a loop over five keys is n_plus_one_read's, however often it runs",
     [](TraceBuilder& it) {
       for (int i = 0; i < 3; ++i)
         it.loop(shop().posts, 5);
     },
     ""},
    {"over four keys it is none, so this is ours",
     [](TraceBuilder& it) {
       for (int i = 0; i < 3; ++i)
         it.loop(shop().posts, 4);
     },
     "posts by user_id x12"},
    {"only what is identical counts",
     [](TraceBuilder& it) { it.repeat(shop().posts, 7, 3).loop(shop().posts, 2); },
     "posts by user_id x3"},
    {"waiting for a change, 200 ms apart",
     [](TraceBuilder& it) { it.repeat(shop().settings, 7, 5, {.gap = 200ms}); },
     "settings by user_id x5: info"},
    {"40 ms apart is a slow page, not patience",
     [](TraceBuilder& it) { it.repeat(shop().settings, 7, 5, {.gap = 40ms}); },
     "settings by user_id x5"},
    {"slow queries are not patient ones",
     [](TraceBuilder& it) { it.repeat(shop().settings, 7, 5, {.duration = 300ms}); },
     "settings by user_id x5"},
    {"grouping is just sure enough",
     [](TraceBuilder& it) { it.grouped(GroupedBy::kChain, 0.7).repeat(shop().settings, 7, 3); },
     "settings by user_id x3"},
    {"grouping is too unsure: these may be three requests",
     [](TraceBuilder& it) { it.grouped(GroupedBy::kChain, 0.69).repeat(shop().settings, 7, 3); },
     ""},
    {"untagged, and nothing tells whether one request asked or a page's requests",
     [](TraceBuilder& it) {
       it.grouped(GroupedBy::kChain, 0.95).several(0.25).repeat(shop().settings, 7, 3);
     },
     "settings by user_id x3: info"},
    {"untagged, but one request",
     [](TraceBuilder& it) {
       it.grouped(GroupedBy::kChain, 0.95).several(0.05).repeat(shop().settings, 7, 3);
     },
     "settings by user_id x3"},
    {"a page's requests at once",
     [](TraceBuilder& it) {
       it.grouped(GroupedBy::kChain, 0.95).several(0.6).repeat(shop().settings, 7, 3);
     },
     ""},
};

TEST(RedundantQuery, FiresOnWhatWasAskedBeforeAndOnNothingElse) {
  expect_said("redundant_query", shop().queries, kCases);
}

TEST(RedundantQuery, WhyNotTellsOfAPagesRequests) {
  TraceBuilder trace;
  trace.grouped(GroupedBy::kChain, 0.95).several(0.6).repeat(shop().settings, 7, 3);
  Probe probe("redundant_query");
  probe.judge(trace, shop().queries);
  ASSERT_EQ(probe.near_misses.size(), 1U);
  EXPECT_EQ(probe.near_misses[0].query, shop().settings);
  EXPECT_EQ(probe.near_misses[0].why, "repeats that several requests of one page sent at once");
}

TEST(RedundantQuery, OnceARequestIsNotRedundant) {
  Probe probe("redundant_query");
  for (uint64_t request = 1; request <= 50; ++request) {
    TraceBuilder trace;
    trace.number(request).run(shop().user, 7).run(shop().settings, 7);
    probe.judge(trace, shop().queries);
  }
  EXPECT_EQ(probe.said(shop().queries), "") << "every request may ask who is logged in";
}

TEST(RedundantQuery, CountsWhatItCosts) {
  TraceBuilder trace;
  trace.repeat(shop().settings, 7, 3, {.duration = 2ms, .pid = 5});
  trace.repeat(shop().settings, 8, 3, {.duration = 4ms, .pid = 6});
  Probe probe("redundant_query");
  probe.judge(trace, shop().queries);
  ASSERT_EQ(probe.observations.size(), 1U);
  const Observation& seen = probe.observations[0];
  EXPECT_EQ(seen.statements, 6U);
  EXPECT_EQ(seen.excess_statements, 4U) << "each of the two questions once is right";
  EXPECT_EQ(seen.database_time, 18ms);
  EXPECT_EQ(seen.saved, 12ms);
  EXPECT_EQ(seen.remedy, Remedy::kMemoize);
  EXPECT_EQ(seen.pids, (std::vector<int32_t>{5, 6}));
  EXPECT_EQ(seen.evidence.at("identical"), 6);
}

/// A page: who is it, their posts, the posts' comments.
TraceBuilder& page(TraceBuilder& it, uint64_t user = 7) {
  return it.run(shop().user, user).run(shop().posts, user).run(shop().comments, 70);
}

struct Mounts {
  const char* why;
  void (*first)(TraceBuilder&);
  void (*second)(TraceBuilder&);
  const char* said;
};

void one_page(TraceBuilder& it) {
  page(it);
}

const Mounts kMounts[] = {
    {"the page's two mounts", one_page, [](TraceBuilder& it) { page(it.wait(300ms)); },
     "comments by list of post_id x3: info"},
    {"seconds apart: a reload", one_page, [](TraceBuilder& it) { page(it.wait(3s)); }, ""},
    {"the second asks one thing more", one_page,
     [](TraceBuilder& it) { page(it.wait(300ms)).run(shop().menu, 1); }, ""},
    {"the second asks one thing less", [](TraceBuilder& it) { page(it).run(shop().menu, 1); },
     [](TraceBuilder& it) { page(it.wait(300ms)); }, ""},
    {"another user's page", one_page, [](TraceBuilder& it) { page(it.wait(300ms), 8); }, ""},
    {"two questions in common are the session's",
     [](TraceBuilder& it) { it.run(shop().user, 7).run(shop().settings, 7); },
     [](TraceBuilder& it) { it.wait(300ms).run(shop().user, 7).run(shop().settings, 7); }, ""},
    {"what every visitor's page asks alike, without a key",
     [](TraceBuilder& it) { it.run(shop().menu, 1).run(shop().footer, 1).run(shop().banner, 1); },
     [](TraceBuilder& it) {
       it.wait(300ms).run(shop().menu, 1).run(shop().footer, 1).run(shop().banner, 1);
     },
     ""},
    {"a request that writes is no mount",
     [](TraceBuilder& it) { page(it).run(shop().insert_event, 1); },
     [](TraceBuilder& it) { page(it.wait(300ms)).run(shop().insert_event, 1); }, ""},
    {"values not logged: nobody can tell", [](TraceBuilder& it) { page(it).run(shop().menu, 0); },
     [](TraceBuilder& it) { page(it.wait(300ms)).run(shop().menu, 0); }, ""},
    {"another application", one_page, [](TraceBuilder& it) { page(it.wait(300ms)).stream(2); }, ""},
    {"one trace, judged again", one_page, [](TraceBuilder& it) { page(it).number(1); }, ""},
    {"not closed yet: more may come", one_page,
     [](TraceBuilder& it) { page(it.wait(300ms)).still_open(); }, ""},
    {"a trace that was cut can't be compared", one_page,
     [](TraceBuilder& it) { page(it.wait(300ms)).repeat(shop().menu, 1, 2).keep(3); }, ""},
    {"grouping is too unsure", one_page,
     [](TraceBuilder& it) { page(it.wait(300ms)).grouped(GroupedBy::kChain, 0.5); }, ""},
    {"what is reported as identical already is not the mount's finding as well",
     [](TraceBuilder& it) { page(it).repeat(shop().comments, 70, 2); },
     [](TraceBuilder& it) { page(it.wait(300ms)).repeat(shop().comments, 70, 2); },
     "comments by list of post_id x3\ncomments by list of post_id x3\nusers by id x5: info"},
};

std::string said_of(const Mounts& mounts, const Overrides& overrides = {}) {
  TraceBuilder first;
  mounts.first(first.number(1));
  TraceBuilder second;
  second.number(2);
  mounts.second(second);
  Probe probe("redundant_query", overrides);
  probe.judge(first, shop().queries).judge(second, shop().queries);
  return probe.said(shop().queries);
}

TEST(RedundantQuery, KnowsADoubleMount) {
  for (const Mounts& mounts : kMounts)
    EXPECT_EQ(said_of(mounts), mounts.said) << mounts.why;
}

TEST(RedundantQuery, TakesItsThresholdsFromTheOptions) {
  EXPECT_EQ(said_of(kMounts[0], {{"double_mount_gap", 0}}), "") << "switched off";
  EXPECT_EQ(said_of(kMounts[0], {{"double_mount_statements", 4}}), "") << "a page of three";
  EXPECT_EQ(said_of(kMounts[1], {{"double_mount_gap", 3'000'000}}),
            "comments by list of post_id x3: info");
  const auto said = [](const Overrides& overrides, Micros gap) {
    TraceBuilder trace;
    trace.loop(shop().posts, 3, {.gap = gap}).loop(shop().posts, 3, {.gap = gap});
    return Probe("redundant_query", overrides).judge(trace, shop().queries).said(shop().queries);
  };
  EXPECT_EQ(said({}, 1ms), "") << "twice each";
  EXPECT_EQ(said({{"min_repeats", 2}}, 1ms), "posts by user_id x6");
  EXPECT_EQ(said({{"min_repeats", 2}, {"loop_keys", 3}}, 1ms), "");
  EXPECT_EQ(said({{"min_repeats", 2}}, 100ms), "posts by user_id x6: info");
  EXPECT_EQ(said({{"min_repeats", 2}, {"patient_gap", 200'000}}, 100ms), "posts by user_id x6");
}

TEST(RedundantQuery, ADoubleMountSavesTheSecondMount) {
  TraceBuilder first;
  page(first.number(1));
  TraceBuilder second;
  page(second.number(2).wait(300ms));
  Probe probe("redundant_query");
  probe.judge(first, shop().queries).judge(second, shop().queries);
  ASSERT_EQ(probe.observations.size(), 1U);
  const Observation& seen = probe.observations[0];
  EXPECT_EQ(seen.remedy, Remedy::kSharedMount);
  EXPECT_EQ(seen.excess_statements, 3U);
  EXPECT_EQ(seen.saved, 3ms);
  EXPECT_LT(seen.confidence, 0.9) << "two visits in one second look the same";
}

TEST(RedundantQuery, SaysItInOneSentence) {
  Finding finding;
  finding.query.summary = "SELECT settings";
  finding.occurrences = 2;
  finding.statements = 8;
  finding.excess_statements = 6;
  finding.saved = 4'200us;
  EXPECT_EQ(detector_named("redundant_query").summarize(finding),
            "2 requests asked SELECT settings again with the same parameters: 6 of 8 statements "
            "and 4.2 ms of database time for nothing new.");
  finding.evidence["several_requests"] = 0.25;
  EXPECT_EQ(detector_named("redundant_query").summarize(finding),
            "2 requests, or pages that send several at once, asked SELECT settings again with the "
            "same parameters: 6 of 8 statements and 4.2 ms of database time for nothing new.");
}

}  // namespace
}  // namespace ectoscope
