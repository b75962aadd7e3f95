#include "sample_builder.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;

struct Shop {
  QueryTable queries{64};
  QueryId posts = queries.add(by(select_all("posts"), "user_id"));
  QueryId users = queries.add(by(select_all("users"), "id"));
  QueryId catalog = queries.add(
      with(select_all("pg_class"), "system", [](Query& query) { query.system = true; }));
};

const Shop& shop() {
  static const Shop kShop;
  return kShop;
}

/// Polls of which each is a call of `ran`.
class Story {
 public:
  explicit Story(const Overrides& overrides = {}) : probe_("query_regression", overrides) {}

  Story& polls(int count, const std::function<void(PollBuilder&, int)>& ran) {
    for (int i = 0; i < count; ++i) {
      PollBuilder poll(number_++);
      ran(poll, i);
      probe_.poll(poll.samples(), shop().queries);
    }
    return *this;
  }
  Story& polls(int count, uint64_t calls, Micros mean) {
    return polls(count, [&](PollBuilder& poll, int) { poll.ran(shop().posts, calls, mean); });
  }

  [[nodiscard]] size_t said() const { return probe_.observations.size(); }
  [[nodiscard]] const Observation& last() const { return probe_.observations.back(); }

 private:
  Probe probe_;
  int64_t number_ = 0;
};

TEST(QueryRegression, SlowerThanUsualForThreePolls) {
  Story story;
  story.polls(20, 100, 10ms).polls(2, 100, 25ms);
  EXPECT_EQ(story.said(), 0U);
  story.polls(1, 100, 25ms);
  ASSERT_EQ(story.said(), 1U);
  const Observation& seen = story.last();
  EXPECT_EQ(seen.query, shop().posts);
  EXPECT_EQ(seen.severity, Severity::kWarning);
  EXPECT_EQ(seen.remedy, Remedy::kReadPlan);
  EXPECT_NEAR(seen.evidence.at("mean_ms"), 25, 0.01);
  EXPECT_NEAR(seen.evidence.at("usual_mean_ms"), 10, 0.2);
  EXPECT_FALSE(seen.evidence.contains("calls_per_second"));
  EXPECT_EQ(seen.statements, 100U);
  EXPECT_EQ(seen.database_time, 2'500ms);
  EXPECT_NEAR(to_ms(seen.saved), 1'500, 20);
  EXPECT_EQ(seen.started_at, EventTime(660s));
  EXPECT_EQ(seen.ended_at, EventTime(690s));
}

TEST(QueryRegression, StaysOneWhileItLastsAndEndsWithIt) {
  Story story;
  story.polls(30, 100, 10ms).polls(100, 100, 40ms);
  EXPECT_EQ(story.said(), 98U) << "a regression must not become normal within an hour";
  story.polls(10, 100, 10ms);
  EXPECT_EQ(story.said(), 98U);
}

TEST(QueryRegression, RunsMuchOftenerThanUsual) {
  Story story;
  story.polls(20, 300, 4ms).polls(3, 3'000, 4ms);
  ASSERT_EQ(story.said(), 1U);
  EXPECT_NEAR(story.last().evidence.at("calls_per_second"), 100, 0.1);
  EXPECT_NEAR(story.last().evidence.at("usual_calls_per_second"), 10, 0.5);
  EXPECT_FALSE(story.last().evidence.contains("mean_ms"));
  EXPECT_NEAR(static_cast<double>(story.last().excess_statements), 2'700, 30);
}

TEST(QueryRegression, DoesNotFireOnItsLookAlikes) {
  const struct {
    const char* what;
    std::function<void(Story&)> plays;
  } cases[] = {
      {"just below twice", [](Story& it) { it.polls(30, 100, 10ms).polls(20, 100, 19ms); }},
      {"four times, but by 3 ms", [](Story& it) { it.polls(30, 100, 1ms).polls(20, 100, 4ms); }},
      {"a cold cache: one poll",
       [](Story& it) { it.polls(30, 100, 10ms).polls(1, 100, 300ms).polls(9, 100, 10ms); }},
      {"two bad polls, a good one, two bad ones",
       [](Story& it) {
         it.polls(30, 100, 10ms).polls(2, 100, 40ms).polls(1, 100, 10ms).polls(2, 100, 40ms);
       }},
      {"not known for long enough", [](Story& it) { it.polls(16, 100, 10ms).polls(3, 100, 50ms); }},
      {"too few calls to say", [](Story& it) { it.polls(30, 100, 10ms).polls(20, 19, 90ms); }},
      {"data that grows",
       [](Story& it) {
         it.polls(2'000, [](PollBuilder& poll, int i) {
           poll.ran(shop().posts, 100, 10ms + Micros(i * 10));
         });
       }},
      {"a shape that varies by itself",
       [](Story& it) {
         it.polls(400, [](PollBuilder& poll, int i) {
           poll.ran(shop().posts, 100, i % 8 < 4 ? 10ms : 60ms);
         });
       }},
      {"the whole traffic rises",
       [](Story& it) {
         it.polls(60, [](PollBuilder& poll, int i) {
           const uint64_t times = i < 40 ? 1 : 10;
           poll.ran(shop().posts, 300 * times, 4ms).ran(shop().users, 3'000 * times, 1ms);
         });
       }},
      {"oftener, but it costs nothing",
       [](Story& it) { it.polls(30, 100, 10us).polls(20, 2'000, 10us); }},
      {"the driver's own",
       [](Story& it) {
         it.polls(60, [](PollBuilder& poll, int i) {
           poll.ran(shop().catalog, 100, i < 40 ? 10ms : 90ms);
         });
       }},
  };
  for (const auto& it : cases) {
    Story story;
    it.plays(story);
    EXPECT_EQ(story.said(), 0U) << it.what;
  }
}

TEST(QueryRegression, DatabasesHaveBaselinesOfTheirOwn) {
  Probe probe("query_regression");
  for (int64_t i = 0; i < 40; ++i) {
    const auto other = PollBuilder(i, 6).ran(shop().posts, 100, 90ms);
    probe.poll(other.samples(), shop().queries);
    const auto poll = PollBuilder(i, 5).ran(shop().posts, 100, 10ms);
    probe.poll(poll.samples(), shop().queries);
  }
  EXPECT_TRUE(probe.observations.empty());
}

TEST(QueryRegression, TakesItsThresholdsFromTheOptions) {
  const auto said = [](const Overrides& overrides) {
    Story story(overrides);
    story.polls(20, 100, 10ms).polls(3, 100, 21ms);
    return story.said();
  };
  EXPECT_EQ(said({}), 1U);
  EXPECT_EQ(said({{"mean_factor", 3}}), 0U);
  EXPECT_EQ(said({{"min_increase", 12'000}}), 0U);
  EXPECT_EQ(said({{"polls", 2}}), 2U);
  EXPECT_EQ(said({{"min_calls", 101}}), 0U);
  EXPECT_EQ(said({{"baseline_polls", 21}}), 0U);
}

TEST(QueryRegression, SaysItInOneSentence) {
  Finding finding;
  finding.query.summary = "SELECT posts";
  finding.saved = 90s;
  finding.evidence = {{"mean_ms", 25}, {"usual_mean_ms", 10}};
  const auto& entry = detector_named("query_regression");
  EXPECT_EQ(
      entry.summarize(finding),
      "SELECT posts takes 25 ms where it took 10 ms: 90.0 s of database time more than usual.");
  finding.evidence["calls_per_second"] = 1'200;
  finding.evidence["usual_calls_per_second"] = 2.5;
  EXPECT_EQ(entry.summarize(finding),
            "SELECT posts takes 25 ms where it took 10 ms, and runs 1,200 times a second where it "
            "ran 2.50 times: 90.0 s of database time more than usual.");
}

}  // namespace
}  // namespace ectoscope
