// What holds for all formats: detection, equal records, and input that is broken in any way.
#include "parsers/log_format.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "tests/parsers/log_helpers.h"

namespace ectoscope {
namespace {

const std::string kData = std::string(SOURCE_DIR) + "/tests/data/parsers/";

TEST(LogFormat, Detection) {
  const struct {
    const char* name;
    std::string head;
    std::optional<LogFormat> expected;
  } cases[] = {
      {"stderr", read_test_file(kData + "mixed.log"), LogFormat::kStderr},
      {"csv", read_test_file(kData + "mixed.csv"), LogFormat::kCsv},
      {"json", read_test_file(kData + "mixed.json"), LogFormat::kJson},
      {"csv, its first row not whole", read_test_file(kData + "mixed.csv").substr(0, 140),
       LogFormat::kCsv},
      {"json, its first object not whole", read_test_file(kData + "mixed.json").substr(0, 140),
       LogFormat::kJson},
      {"text first, then csv", "end of a row\n" + read_test_file(kData + "mixed.csv"),
       LogFormat::kCsv},
      {"nothing", "", std::nullopt},
      {"too short to tell", "2026-11-2", std::nullopt},
      {"anything else", std::string(100, '\n'), LogFormat::kStderr},
  };
  for (const auto& c : cases)
    EXPECT_EQ(detect_log_format(c.head), c.expected) << c.name;
}

TEST(LogFormat, PrefixWithoutAStampIsRefused) {
  EXPECT_EQ(problem_of_log_line_prefix("%m [%p] "), std::nullopt);
  EXPECT_EQ(problem_of_log_line_prefix("%n "), std::nullopt);
  EXPECT_EQ(
      problem_of_log_line_prefix("[%p] %u "),
      "has no stamp (%m, %t or %n): without one no record has a time; leave the prefix out to "
      "have it found");
}

TEST(LogFormat, PhaseMessages) {
  EXPECT_TRUE(is_phase_message("duration: 0.1 ms  parse ecto_1: SELECT"));
  EXPECT_TRUE(is_phase_message("duration: 0.1 ms  bind <unnamed>: "));
  EXPECT_FALSE(is_phase_message("duration: 0.1 ms  bind ecto_1"));
  EXPECT_FALSE(is_phase_message("duration: 0.1 ms  execute ecto_1: bind x: "));
  EXPECT_FALSE(is_phase_message("duration: 0.1 ms  statement: parse a: b"));
}

using Comparable = std::tuple<int64_t, int32_t, std::string, std::string, std::string, std::string>;

/// Sorted: the three files of one server are not written in one order.
std::vector<Comparable> comparable(const Parsed& parsed, bool seconds_only) {
  std::vector<Comparable> all;
  for (const KeptRecord& r : parsed.records)
    all.emplace_back(seconds_only ? r.at / 1'000'000 : r.at, r.pid, r.message, r.detail, r.context,
                     r.statement);
  std::sort(all.begin(), all.end());
  return all;
}

TEST(LogFormat, MixedLogReadsTheSameInAllFormats) {
  const Parsed stderr_log = parse_log(read_test_file(kData + "mixed.log"));
  const Parsed csv = parse_log(read_test_file(kData + "mixed.csv"));
  const Parsed json = parse_log(read_test_file(kData + "mixed.json"));
  EXPECT_GT(csv.records.size(), 50U);
  for (const Parsed* parsed : {&stderr_log, &csv, &json})
    EXPECT_TRUE(parsed->drops.empty());
  EXPECT_EQ(comparable(csv, false), comparable(json, false));
  EXPECT_EQ(comparable(csv, false), comparable(stderr_log, false));
  ASSERT_EQ(csv.records.size(), stderr_log.records.size());
  for (size_t i = 0; i < csv.records.size(); ++i) {
    EXPECT_EQ(csv.records[i].severity, stderr_log.records[i].severity);
    EXPECT_EQ(csv.records[i].user, stderr_log.records[i].user);
    if (csv.records[i].user.empty()) continue;  // the prefix ends at its %q
    EXPECT_EQ(csv.records[i].application, stderr_log.records[i].application);
    EXPECT_EQ(csv.records[i].session, stderr_log.records[i].session);
    EXPECT_EQ(csv.records[i].virtual_xid, stderr_log.records[i].virtual_xid);
    EXPECT_EQ(csv.records[i].query_id, stderr_log.records[i].query_id);
  }
}

/// Records that only one of the two has.
size_t differences(const std::vector<Comparable>& a, const std::vector<Comparable>& b) {
  std::vector<Comparable> only;
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(only));
  return only.size();
}

TEST(LogFormat, CapturesReadTheSameInAllFormats) {
  const std::filesystem::path corpus = std::filesystem::path(SOURCE_DIR) / "../shared/corpus";
  if (!std::filesystem::exists(corpus))
    GTEST_SKIP() << "the whole recordings are not shipped: none at " << corpus;
  size_t captures = 0;
  for (const auto& folder : std::filesystem::directory_iterator(corpus)) {
    const std::string name = folder.path().filename().string();
    const std::string stem = (folder.path() / name).string();
    if (!std::filesystem::exists(stem + ".log")) continue;  // the larger ones are compressed
    ++captures;
    const bool seconds_only = name.starts_with("pgbadger");
    const auto stderr_log = comparable(parse_log(read_test_file(stem + ".log")), seconds_only);
    const auto csv = comparable(parse_log(read_test_file(stem + ".csv")), seconds_only);
    const auto json = comparable(parse_log(read_test_file(stem + ".json")), seconds_only);
    // The three files of this one were not cut at the same record.
    const size_t allowed = name == "prod_thresholds" ? 2 : 0;
    EXPECT_LE(differences(csv, stderr_log), allowed) << name;
    EXPECT_LE(differences(csv, json), allowed) << name;
  }
  EXPECT_GT(captures, 0U);
}

class BrokenInput : public testing::TestWithParam<const char*> {
 protected:
  std::string log_ = read_test_file(kData + GetParam());
};

TEST_P(BrokenInput, CutAnywhere) {
  const size_t whole = parse_log(log_).records.size();
  const size_t step = std::max<size_t>(1, log_.size() / 3000);
  for (size_t length = 0; length < log_.size(); length += length < 3000 ? 1 : step) {
    const Parsed parsed = parse_log(log_.substr(0, length));
    ASSERT_LE(parsed.records.size(), whole) << length;
    uint64_t dropped = 0;
    for (const auto& [reason, count] : parsed.drops)
      dropped += count;
    ASSERT_LE(dropped, 2U) << length;
  }
}

TEST_P(BrokenInput, BeginsAnywhere) {
  const size_t whole = parse_log(log_).records.size();
  const size_t step = std::max<size_t>(1, log_.size() / 500);
  for (size_t begin = 0; begin < log_.size(); begin += step)
    ASSERT_LE(parse_log(log_.substr(begin)).records.size(), whole) << begin;
}

TEST_P(BrokenInput, AnyBlocksGiveTheSame) {
  const Parsed whole = parse_log(log_);
  for (const size_t block : {size_t{64}, size_t{997}, size_t{4096}, size_t{65536}}) {
    const Parsed parsed = parse_log(log_, {}, block);
    EXPECT_EQ(parsed.records == whole.records, true) << block;
    EXPECT_EQ(parsed.drops, whole.drops) << block;
  }
}

TEST_P(BrokenInput, RandomBytesInIt) {
  uint32_t state = 7;
  const auto random = [&] { return state = state * 1664525U + 1013904223U; };
  const size_t whole = parse_log(log_).records.size();
  for (int round = 0; round < 60; ++round) {
    std::string broken = log_;
    for (int i = 0; i < 50; ++i) {
      const size_t at = random() % broken.size();
      broken[at] = static_cast<char>(random() >> 24U);
    }
    const Parsed parsed = parse_log(broken, {}, 4096);
    EXPECT_GE(parsed.records.size(), whole / 3);
    EXPECT_LE(parsed.records.size(), whole + 50);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, BrokenInput,
                         testing::Values("mixed.log", "mixed.csv", "mixed.json"),
                         [](const auto& tested) {
                           const std::string name = tested.param;
                           return name.substr(name.find('.') + 1);
                         });

TEST(LogFormat, NoiseIsNoLog) {
  uint32_t state = 11;
  std::string noise;
  for (int i = 0; i < 300'000; ++i) {
    state = state * 1664525U + 1013904223U;
    noise += static_cast<char>(state >> 24U);
  }
  for (const LogFormat format : {LogFormat::kStderr, LogFormat::kCsv, LogFormat::kJson}) {
    const auto parser = make_log_parser(format, {});
    const Parsed parsed = parse_in_blocks(*parser, noise, 65536);
    EXPECT_TRUE(parsed.records.empty());
    EXPECT_FALSE(parsed.drops.empty());
  }
  EXPECT_TRUE(parse_log("").records.empty());
}

}  // namespace
}  // namespace ectoscope
