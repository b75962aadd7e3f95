#include "daemon/command_line.h"

#include <chrono>
#include <initializer_list>

#include <gtest/gtest.h>

#include "daemon/progress.h"
#include "daemon/time_argument.h"

namespace ectoscope {
namespace {

Command parse(std::initializer_list<const char*> arguments) {
  std::vector<const char*> argv = {"ectoscope"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

TEST(CommandLine, AnalyzeHasTheDefaultsOfItsHelp) {
  const Command command = parse({"analyze", "a.log"});
  const auto* analyze = std::get_if<AnalyzeArguments>(&command);
  ASSERT_NE(analyze, nullptr);
  EXPECT_EQ(analyze->files, std::vector<std::string>{"a.log"});
  EXPECT_EQ(analyze->examples, 5U);
  EXPECT_EQ(analyze->output, OutputFormat::kText);
  EXPECT_FALSE(analyze->fail_on || analyze->format || analyze->since || analyze->database);
}

TEST(CommandLine, AnalyzeReadsEveryOption) {
  const Command command =
      parse({"analyze", "--format=csvlog", "--log-line-prefix=%m [%p] ", "--timezone=+02:00",
             "--since", "2026-11-22", "--until=2026-11-23T00:00Z", "--database=shop",
             "--output=json", "--output.file=out.json", "--examples=all", "--fail-on=warning",
             "--config.file=c.yaml", "a.log", "b.log.gz"});
  const auto* analyze = std::get_if<AnalyzeArguments>(&command);
  ASSERT_NE(analyze, nullptr) << std::get<Done>(command).error;
  EXPECT_EQ(analyze->files.size(), 2U);
  EXPECT_EQ(analyze->format, "csvlog");
  EXPECT_EQ(analyze->log_line_prefix, "%m [%p] ");
  EXPECT_EQ(analyze->timezone, "+02:00");
  EXPECT_EQ(*analyze->until - *analyze->since, std::chrono::hours(24));
  EXPECT_EQ(analyze->database, "shop");
  EXPECT_EQ(analyze->output, OutputFormat::kJson);
  EXPECT_EQ(analyze->output_file, "out.json");
  EXPECT_EQ(analyze->examples, AnalyzeArguments::kMostExamples);
  EXPECT_EQ(analyze->fail_on, Severity::kWarning);
  EXPECT_EQ(analyze->config_file, "c.yaml");
}

TEST(CommandLine, StandardInputIsAFile) {
  const Command command = parse({"analyze", "-"});
  const auto* analyze = std::get_if<AnalyzeArguments>(&command);
  ASSERT_NE(analyze, nullptr);
  EXPECT_EQ(analyze->files, std::vector<std::string>{"-"});
}

TEST(CommandLine, MistakesAreUsageErrors) {
  for (const auto& arguments : std::initializer_list<std::initializer_list<const char*>>{
           {},
           {"serve"},
           {"analyze"},
           {"analyze", "-", "a"},
           {"analyze", "--examples=1x", "a"},
           {"check", "config"},
           {"check", "config", "--print-example", "a.yaml"},
           {"demo", "extra"}}) {
    const Command command = parse(arguments);
    const auto* done = std::get_if<Done>(&command);
    ASSERT_NE(done, nullptr);
    EXPECT_EQ(done->exit_status, 2);
    EXPECT_NE(done->error, "");
    EXPECT_EQ(done->output, "");
  }
}

TEST(CommandLine, HelpIsNoError) {
  const Command command = parse({"analyze", "--help"});
  const auto* done = std::get_if<Done>(&command);
  ASSERT_NE(done, nullptr);
  EXPECT_EQ(done->exit_status, 0);
  EXPECT_NE(done->output.find("--fail-on"), std::string::npos);
}

TEST(TimeArgument, ReadsWhatPeopleWrite) {
  const struct {
    const char* text;
    const char* time;
  } cases[] = {
      {"2026-11-22", "2026-11-22T00:00:00.000000Z"},
      {"2026-11-22 08:30", "2026-11-22T08:30:00.000000Z"},
      {"2026-11-22T08:30:15Z", "2026-11-22T08:30:15.000000Z"},
      {"2026-11-22 08:30:15.25 ", "2026-11-22T08:30:15.250000Z"},
      {"2026-11-22T08:30:15.000001+02:00", "2026-11-22T06:30:15.000001Z"},
      {"2026-11-22 08:30 -0330", "2026-11-22T12:00:00.000000Z"},
      {"2024-02-29", "2024-02-29T00:00:00.000000Z"},
      {"2026-11-22T08:30+02", "2026-11-22T06:30:00.000000Z"},
  };
  for (const auto& [text, time] : cases) {
    const auto at = parse_time_argument(text);
    ASSERT_TRUE(at) << text;
    EXPECT_EQ(format_rfc3339(*at), time) << text;
  }
}

TEST(TimeArgument, RefusesTheRest) {
  for (const char* text :
       {"", "now", "2026", "2026-11", "2026-13-01", "2026-02-29", "2026-11-22 8:30",
        "2026-11-22T24:00", "2026-11-22T08", "2026-11-22T08:30:", "2026-11-22T08:30:15.",
        "2026-11-22T08:30:15.1234567", "2026-11-22T08:30 CET", "2026-11-22T08:30Zx", "2026-11-22x",
        "2026-11-22T08:30+15:00", "-026-11-22"})
    EXPECT_FALSE(parse_time_argument(text)) << text;
}

TEST(Progress, SaysHowFarHowFastHowLong) {
  using std::chrono::duration;
  EXPECT_EQ(progress_line(45'200'000, 120'000'000, duration<double>(0.5)),
            "45.2 MB of 120.0 MB, 90.4 MB/s, 1 s left");
  EXPECT_EQ(progress_line(1'000, 0, duration<double>(1)), "1.0 kB, 1.0 kB/s");  // a pipe
  EXPECT_EQ(progress_line(0, 10, duration<double>(0)), "0 B of 10 B, 0 B/s");
  EXPECT_EQ(progress_line(20, 10, duration<double>(1)), "20 B of 10 B, 20 B/s");  // it grew
}

}  // namespace
}  // namespace ectoscope
