#include "parsers/fidelity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/golden.h"

namespace ectoscope {
namespace {

using Statements = InputFidelity::Statements;
using TraceIds = InputFidelity::TraceIds;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

/// 100 executions of a log with the settings that we recommend.
FidelityCounts healthy() {
  FidelityCounts counts;
  counts.executions = 100;
  counts.extended = 90;
  counts.durations = 200;
  counts.short_durations = 180;
  counts.shortest = Micros(10);
  counts.with_parameters = 90;
  counts.plans = 3;
  counts.taggable = 90;
  counts.with_query_id = 100;
  counts.with_transaction = 100;
  counts.with_application = 100;
  return counts;
}

TEST(Fidelity, TheRecommendedSettingsNeedNoAdvice) {
  const InputFidelity fidelity = judge_fidelity(healthy());
  EXPECT_EQ(fidelity.statements, Statements::kAll);
  EXPECT_TRUE(fidelity.parameters);
  EXPECT_TRUE(fidelity.plans);
  EXPECT_EQ(fidelity.trace_ids, TraceIds::kNone);
  EXPECT_THAT(fidelity.advice, testing::IsEmpty());
}

TEST(Fidelity, Statements) {
  struct {
    const char* why;
    Statements expected;
    void (*change)(FidelityCounts&);
  } cases[] = {
      {"nothing ran", Statements::kNone, [](FidelityCounts& c) { c = {}; }},
      {"durations without a statement", Statements::kNone,
       [](FidelityCounts& c) {
         c = {};
         c.durations = c.bare_durations = 500;
       }},
      {"many, and next to none is short", Statements::kSlowOnly,
       [](FidelityCounts& c) { c.short_durations = 3; }},
      {"many, and some are short", Statements::kAll,
       [](FidelityCounts& c) { c.short_durations = 4; }},
      {"few, all long", Statements::kSlowOnly,
       [](FidelityCounts& c) {
         c.durations = 5;
         c.short_durations = 0;
         c.shortest = Micros(10'000);
       }},
      {"few, one of them not long", Statements::kAll,
       [](FidelityCounts& c) {
         c.durations = 5;
         c.short_durations = 0;
         c.shortest = Micros(9'999);
       }},
      {"one slow statement proves nothing", Statements::kAll,
       [](FidelityCounts& c) {
         c.durations = 2;
         c.short_durations = 0;
         c.shortest = Micros(500'000);
       }},
      {"binds are missing", Statements::kSampled, [](FidelityCounts& c) { c.without_bind = 45; }},
      {"the file began between bind and execute", Statements::kAll,
       [](FidelityCounts& c) { c.without_bind = 8; }},
      {"plans alone", Statements::kSlowOnly,
       [](FidelityCounts& c) {
         c = {};
         c.executions = c.plan_only = c.plans = 9;
       }},
      {"log_statement without durations", Statements::kAll,
       [](FidelityCounts& c) {
         c = {};
         c.executions = c.by_log_statement = c.untimed = 9;
       }},
  };
  for (const auto& c : cases) {
    FidelityCounts counts = healthy();
    c.change(counts);
    EXPECT_EQ(judge_fidelity(counts).statements, c.expected) << c.why;
  }
}

TEST(Fidelity, TraceIdsAre) {
  struct {
    const char* why;
    uint64_t tagged;
    uint64_t stale;
    TraceIds expected;
  } cases[] = {
      {"on none", 0, 0, TraceIds::kNone},
      {"on all", 90, 0, TraceIds::kAll},
      {"on all but a migration", 81, 0, TraceIds::kAll},
      {"on some", 80, 0, TraceIds::kSome},
      {"stale", 60, 5, TraceIds::kStale},
      {"a sign is not yet stale", 60, 2, TraceIds::kSome},
  };
  for (const auto& c : cases) {
    FidelityCounts counts = healthy();
    counts.tagged = c.tagged;
    counts.stale = c.stale;
    EXPECT_EQ(judge_fidelity(counts).trace_ids, c.expected) << c.why;
  }
}

TEST(Fidelity, AdviceNamesTheSettingThatIsMissing) {
  struct {
    const char* setting;
    void (*change)(FidelityCounts&);
  } cases[] = {
      {"log_min_duration_statement = 0;", [](FidelityCounts& c) { c.short_durations = 0; }},
      {"log_statement_sample_rate = 1;", [](FidelityCounts& c) { c.without_bind = 60; }},
      {"log_statement = 'none';", [](FidelityCounts& c) { c.by_log_statement = 5; }},
      {"log_duration = off;", [](FidelityCounts& c) { c.bare_durations = 500; }},
      {"log_parameter_max_length = 64;",
       [](FidelityCounts& c) { std::swap(c.with_parameters, c.lacking_parameters); }},
      {"compute_query_id = on;", [](FidelityCounts& c) { c.with_query_id = 0; }},
      {"session_preload_libraries = 'auto_explain';", [](FidelityCounts& c) { c.plans = 0; }},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(judge_fidelity(healthy()).advice, Not(Contains(HasSubstr(c.setting))));
    FidelityCounts counts = healthy();
    c.change(counts);
    EXPECT_THAT(judge_fidelity(counts).advice,
                Contains(HasSubstr("ALTER SYSTEM SET " + std::string(c.setting) + "  -- ")))
        << c.setting;
  }
  const auto prefix_advice = [](void (*change)(FidelityCounts&)) {
    FidelityCounts counts = healthy();
    change(counts);
    for (const std::string& line : judge_fidelity(counts).advice) {
      if (line.starts_with("ALTER SYSTEM SET log_line_prefix = '%m [%p] "))
        return line.substr(line.find("  -- ") + 5);
    }
    return std::string();
  };
  EXPECT_EQ(prefix_advice([](FidelityCounts& c) { c.coarse = 100; }),
            "it lacks milliseconds: requests are told apart with less certainty");
  EXPECT_EQ(prefix_advice([](FidelityCounts& c) { c.coarse = c.with_transaction = 0; }),
            "it lacks transactions: requests are told apart with less certainty");
  EXPECT_EQ(prefix_advice([](FidelityCounts& c) {
              c.coarse = 100;
              c.with_transaction = c.with_application = 0;
            }),
            "it lacks milliseconds, transactions, applications: requests are told apart with less "
            "certainty");
  EXPECT_EQ(prefix_advice([](FidelityCounts& c) { c.with_application = 0; }), "")
      << "csvlog of an application that has no name";
  FidelityCounts no_plans = healthy();
  no_plans.plans = 0;
  const auto lines = judge_fidelity(no_plans).advice;
  EXPECT_THAT(lines, Contains(HasSubstr("auto_explain.log_triggers = on")));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("log_timing"))))
      << "it is on by default, and a trigger has no time without it";
}

TEST(Fidelity, TheSamePrefixIsAdvisedEverywhere) {
  for (const char* file : {"README.md", "deploy/postgresql/ectoscope.conf"}) {
    EXPECT_THAT(read_text(std::string(SOURCE_DIR) + "/" + file),
                HasSubstr("log_line_prefix = '" + std::string(kBestLogLinePrefix) + "'"))
        << file;
  }
}

}  // namespace
}  // namespace ectoscope
