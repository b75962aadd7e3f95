// The chain rung on made-up traffic: what it must find, and what it must not make up.
#include "traces/chain.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "core/hash.h"
#include "core/relations.h"
#include "tests/traces/stream_builder.h"

namespace ectoscope::testing {
namespace {

using Kept = StreamBuilder::Kept;

std::vector<Kept> loops(const std::vector<Kept>& traces, QueryId query, size_t least) {
  std::vector<Kept> found;
  for (const Kept& trace : traces) {
    if (trace.grouped_by != GroupedBy::kChain || trace.executions.back().query != query) continue;
    const auto runs = std::count_if(trace.executions.begin(), trace.executions.end(),
                                    [&](const Execution& e) { return e.query == query; });
    if (static_cast<size_t>(runs) >= least) found.push_back(trace);
  }
  return found;
}

/// The loops by what `position` says of their executions.
std::multiset<std::vector<uint64_t>> positions(const std::vector<Kept>& found) {
  std::multiset<std::vector<uint64_t>> all;
  for (const Kept& loop : found) {
    std::vector<uint64_t> of;
    for (const Execution& execution : loop.executions)
      of.push_back(execution.position);
    all.insert(of);
  }
  return all;
}

TEST(Chain, FindsALoopThatWandersOverThePool) {
  StreamBuilder app;
  const QueryId page = app.list_of("posts", "title");
  const QueryId comments = app.select_by("comments", "post_id");
  app.run(page, 0, 20, 100).limit = 20;
  for (int i = 0; i < 20; ++i)
    app.run(comments, 5 + i * 4, 900 - i, 100 + i % 10);
  const auto found = loops(app.group(), comments, 5);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].executions.size(), 21U) << "the page and its 20 children";
  EXPECT_EQ(found[0].executions.front().query, page);
  EXPECT_GT(found[0].confidence, 0.7);
}

TEST(Chain, TellsConcurrentLoopsApartByTheirKeys) {
  StreamBuilder app;
  const QueryId comments = app.select_by("comments", "post_id");
  Scatter scatter;
  std::vector<int64_t> first_keys;
  // Twenty pages of thirty neighbours each, four of them at a time.
  for (int page = 0; page < 20; ++page) {
    const int64_t first = 10'000 + scatter.below(1'000'000);
    first_keys.push_back(first);
    double at = page * 75.0;
    for (int i = 0; i < 30; ++i) {
      at += 2 + static_cast<double>(scatter.below(160)) / 10;
      app.run(comments, at, first - i, static_cast<int32_t>(100 + scatter.below(10)));
    }
  }
  size_t whole = 0;
  for (const Kept& loop : loops(app.group(), comments, 5)) {
    std::set<int64_t> pages;
    for (const Execution& execution : loop.executions) {
      for (const int64_t first : first_keys) {
        if (execution.key <= first && execution.key > first - 30) pages.insert(first);
      }
    }
    EXPECT_LE(pages.size(), 2U) << "a strand of many pages";
    if (pages.size() == 1 && loop.executions.size() >= 27) ++whole;
  }
  EXPECT_GE(whole, 16U) << "of 20 loops that ran four at a time";
}

// Tasks side by side ask for their keys nearly in order, so differences of a few tell; still,
// visitors who read the same rows at the same time are one loop each.
TEST(Chain, LoopsOverTheSameRowsAreOneEach) {
  constexpr int kRows = 20;
  StreamBuilder app;
  const QueryId comments = app.select_by("comments", "post_id");
  Scatter scatter;
  uint64_t visitors = 0;
  const auto visit = [&](double at, int64_t first) {
    ++visitors;
    for (int i = 0; i < kRows; ++i) {
      at += 4;
      app.run(comments, at + static_cast<double>(scatter.below(12)), first - i,
              static_cast<int32_t>(100 + scatter.below(10)))
          .position = visitors;
    }
  };
  for (int page = 0; page < 60; ++page) {
    const int64_t first = 10'000 + scatter.below(1'000'000);
    const double at = page * 1200.0;
    visit(at, first);
    visit(at + 600, first);
    visit(at + 620, first + 3 + scatter.below(3));
  }
  size_t whole = 0;
  size_t mixed = 0;
  for (const Kept& loop : loops(app.group(), comments, 5)) {
    std::set<uint64_t> of;
    for (const Execution& execution : loop.executions)
      of.insert(execution.position);
    if (of.size() > 1) ++mixed;
    if (of.size() == 1 && loop.executions.size() == kRows) ++whole;
  }
  EXPECT_GE(whole, 135U) << "of 180 loops";
  EXPECT_LE(mixed, 12U);
}

// Keys without neighbours, but the next visitor of a page asks for the same rows in the same order.
// Two visits are under way all the time, so no loop is ever seen by itself.
TEST(Chain, RowsThatComeAgainTellLoopsApart) {
  constexpr uint64_t kVisits = 400;
  constexpr int kRows = 12;
  for (const bool integers : {true, false}) {
    StreamBuilder app;
    const QueryId comments = app.select_by("comments", "post_id");
    Scatter scatter;
    for (uint64_t visit = 0; visit < kVisits; ++visit) {
      const auto page = static_cast<uint64_t>(scatter.below(12));
      double at = static_cast<double>(visit) * 60;
      for (uint64_t row = 0; row < kRows; ++row) {
        at += 2 + static_cast<double>(scatter.below(160)) / 10;
        const uint64_t key = mix_hash(page, row) % 1'000'000;
        Execution& run = app.run(comments, at, static_cast<int64_t>(key),
                                 static_cast<int32_t>(100 + scatter.below(10)));
        run.key_hash = mix_hash(key, 7);
        run.position = visit;
        if (integers) continue;
        run.flags = Execution::kHasParameters;
        run.integer_slots = 0;
      }
    }
    size_t whole = 0;
    for (const Kept& loop : loops(app.group(), comments, 5)) {
      std::set<uint64_t> of;
      for (const Execution& execution : loop.executions)
        of.insert(execution.position);
      if (of.size() == 1 && loop.executions.size() == kRows) ++whole;
    }
    EXPECT_GE(whole, 140U) << "of 400 loops over " << (integers ? "integers" : "texts");
  }
}

// The formats of a log have the lines of one millisecond in different orders.
TEST(Chain, TheOrderWithinATickIsAnAccident) {
  const auto links = [](bool reversed) {
    StreamBuilder app;
    const QueryId comments = app.select_by("comments", "post_id");
    const QueryId page = app.list_of("posts", "title");
    Scatter scatter;
    for (int loop = 0; loop < 30; ++loop) {
      const int64_t first = 10'000 + scatter.below(1'000'000);
      double at = loop * 40.0;
      app.run(page, at, loop, static_cast<int32_t>(100 + scatter.below(10)));
      for (int i = 0; i < 20; ++i) {
        at += static_cast<double>(scatter.below(4)) / 2;
        Execution& run =
            app.run(comments, std::floor(at), first - i, static_cast<int32_t>(100 + i % 10));
        run.position = app.executions.size();
      }
    }
    if (reversed) std::reverse(app.executions.begin(), app.executions.end());
    return positions(loops(app.group(), comments, 3));
  };
  const auto found = links(false);
  EXPECT_GE(found.size(), 20U);
  EXPECT_EQ(found, links(true));
}

// What one shape's sure links teach helps another: never in an order that names or ids make.
TEST(Chain, ShapesComeInNoOrderOfTheirNames) {
  const auto links = [](bool sure_first) {
    StreamBuilder app;
    const auto add_comments = [&app] { return app.select_by("comments", "post_id"); };
    QueryId comments = sure_first ? add_comments() : kNoQuery;
    const QueryId products = app.select_by("products", "id");
    if (!sure_first) comments = add_comments();
    Scatter scatter;
    for (int page = 0; page < 400; ++page) {
      const int64_t first = 10'000 + scatter.below(1'000'000);
      double at = page * 60.0;
      for (int i = 0; i < 16; ++i) {
        at += 3 + static_cast<double>(scatter.below(40)) / 10;
        const bool sure = page % 2 == 0;
        app.run(sure ? comments : products, at, sure ? first - i : scatter.below(1'000'000),
                static_cast<int32_t>(100 + scatter.below(10)))
            .position = app.executions.size();
      }
    }
    const auto traces = app.group();
    auto found = positions(loops(traces, comments, 3));
    found.merge(positions(loops(traces, products, 3)));
    return found;
  };
  const auto found = links(true);
  EXPECT_GE(found.size(), 380U) << "of 400 loops";
  EXPECT_EQ(found, links(false));
}

TEST(Chain, OneLookUpARequestIsNoLoop) {
  StreamBuilder app;
  const QueryId user = app.select_by("users", "id");
  const QueryId page = app.list_of("posts", "title");
  Scatter scatter;
  // Ten requests a second, each looks its user up once, in no order.
  for (int i = 0; i < 300; ++i) {
    const double at = i * 100.0 + static_cast<double>(scatter.below(90));
    app.run(user, at, scatter.below(50'000), static_cast<int32_t>(100 + i % 10));
    app.run(page, at + 8, 10, static_cast<int32_t>(101 + i % 10));
  }
  const auto traces = app.group();
  size_t sure = 0;
  for (const Kept& loop : loops(traces, user, 5))
    sure += loop.confidence >= 0.7 ? 1 : 0;
  EXPECT_EQ(sure, 0U);
}

// A shape that was alone for long may begin to loop: its first links weigh little, its loops much.
TEST(Chain, AShapeThatWasAloneForLongMayLoop) {
  StreamBuilder app;
  const QueryId product = app.select_by("products", "id");
  const QueryId page = app.list_of("posts", "title");
  Scatter scatter;
  for (int i = 0; i < 900; ++i) {
    const double at = i * 50.0 + static_cast<double>(scatter.below(49));
    for (int other = 0; other < 10; ++other)
      app.run(page, i * 50.0 + other * 5, 10, static_cast<int32_t>(101 + i % 10));
    app.run(product, at, scatter.below(50'000), static_cast<int32_t>(100 + i % 10));
  }
  const auto loop_over = [&](QueryId query, double at, const auto& key) {
    for (int i = 0; i < 20; ++i) {
      at += 1 + static_cast<double>(scatter.below(30)) / 10;
      app.run(query, at, key(i), static_cast<int32_t>(100 + scatter.below(10)));
    }
  };
  // Another shape's loops over neighbours tell how long this application waits.
  const QueryId comments = app.select_by("comments", "post_id");
  for (int loop = 0; loop < 40; ++loop)
    loop_over(comments, loop * 1000.0, [&](int i) { return 10'000 * (loop + 1) - i; });
  for (int loop = 0; loop < 10; ++loop)
    loop_over(product, 30'300 + loop * 1500.0, [&](int) { return scatter.below(50'000); });
  size_t in_loops = 0;
  for (const Kept& loop : loops(app.group(), product, 5))
    in_loops += loop.confidence >= 0.7 ? loop.executions.size() : 0;
  EXPECT_GE(in_loops, 140U) << "of 200, among 20 lone ones a second";
  EXPECT_LE(in_loops, 240U) << "lone ones stay out";
}

TEST(Chain, StreamsAreNeverMixed) {
  StreamBuilder app;
  const QueryId comments = app.select_by("comments", "post_id");
  for (int i = 0; i < 12; ++i) {
    app.run(comments, i * 5, 500 + i, 100).stream = 1;
    app.run(comments, i * 5 + 2, 900 + i, 200).stream = 2;
  }
  for (const Kept& trace : app.group()) {
    for (const Execution& execution : trace.executions) {
      EXPECT_EQ(execution.stream, trace.executions[0].stream);
    }
  }
}

TEST(Chain, ShapesThatCannotLoop) {
  StreamBuilder app;
  const struct {
    const char* why;
    void (*change)(Query&, Execution&);
    bool loops;
  } cases[] = {
      {"one row's key", [](Query&, Execution&) {}, true},
      {"a preload's list", [](Query& q, Execution&) { q.key_form = KeyForm::kList; }, false},
      {"a list of one",
       [](Query& q, Execution& e) {
         q.key_form = KeyForm::kList;
         e.flags |= Execution::kOneElement;
       },
       true},
      {"keyset paging", [](Query& q, Execution&) { q.range = q.has_limit = true; }, false},
      {"a range that is no page", [](Query& q, Execution&) { q.range = true; }, true},
      {"a cursor's chunk", [](Query&, Execution& e) { e.flags |= Execution::kFetch; }, false},
      {"a catalog query", [](Query& q, Execution&) { q.system = true; }, false},
      {"no key at all", [](Query& q, Execution&) { q.key_form = KeyForm::kNone; }, false},
      {"insert of one row",
       [](Query& q, Execution&) {
         q.operation = Operation::kInsert;
         q.inserted_rows = 1;
       },
       true},
      {"insert of many",
       [](Query& q, Execution&) {
         q.operation = Operation::kInsert;
         q.inserted_rows = 2;
       },
       false},
  };
  for (const auto& c : cases) {
    Query query = app.queries[app.select_by("posts", "user_id")];
    Execution execution;
    c.change(query, execution);
    EXPECT_EQ(loops_over_keys(query, execution), c.loops) << c.why;
  }
}

TEST(Chain, TheSameInputGivesTheSameTraces) {
  const auto once = [] {
    StreamBuilder app;
    const QueryId comments = app.select_by("comments", "post_id");
    Scatter scatter;
    for (int i = 0; i < 2000; ++i) {
      app.run(comments, i * 3.0, scatter.below(1000), static_cast<int32_t>(scatter.below(10)));
    }
    std::vector<std::pair<EventTime, size_t>> shape;
    for (const Kept& trace : app.group()) {
      shape.emplace_back(trace.executions[0].started_at, trace.executions.size());
    }
    return shape;
  };
  EXPECT_EQ(once(), once());
}

TEST(Chain, StampsThatRunBackwardsLoseNothingAndEnd) {
  StreamBuilder app;
  const QueryId comments = app.select_by("comments", "post_id");
  for (int i = 0; i < 40; ++i)
    app.run(comments, i * 5, 100 + i);
  std::reverse(app.executions.begin(), app.executions.end());
  uint64_t seen = 0;
  Grouper grouper(app.queries, Options(grouping_options()),
                  [&](const Trace& trace) { seen += trace.executions.size(); });
  grouper.add(app.executions);
  grouper.finish();
  EXPECT_EQ(seen + grouper.traces(GroupedBy::kNone), 40U);
}

}  // namespace
}  // namespace ectoscope::testing
