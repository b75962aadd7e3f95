// Logs in the envelopes that others put around them: tests/data/parsers/envelopes holds the records
// of plain.log in each (written by tests/cli/envelopes.py).
#include "parsers/envelope_log.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "tests/parsers/log_helpers.h"

namespace ectoscope {
namespace {

const std::string kData = std::string(SOURCE_DIR) + "/tests/data/parsers/envelopes/";
const std::string kStamp = "2026-11-22 08:00:00.000 UTC ";
constexpr int64_t kEight = 1795334400000000;  // 2026-11-22 08:00:00 UTC

using Comparable = std::tuple<int64_t, int32_t, std::string, std::string, std::string, std::string,
                              std::string, std::string>;

std::vector<Comparable> comparable(const Parsed& parsed) {
  std::vector<Comparable> all;
  for (const KeptRecord& r : parsed.records)
    all.emplace_back(r.at, r.pid, r.user, r.database, r.message, r.detail, r.context, r.statement);
  std::sort(all.begin(), all.end());
  return all;
}

Parsed parse_as(LogFormat format, const std::string& log, size_t block = SIZE_MAX) {
  LogParserOptions options;
  options.now = EventTime(Micros(kEight));
  const auto parser = make_log_parser(format, options);
  return parse_in_blocks(*parser, log, std::min(block, log.size() + 1));
}

uint64_t dropped(const Parsed& parsed, std::string_view reason) {
  const auto found = parsed.drops.find(reason);
  return found == parsed.drops.end() ? 0 : found->second;
}

struct Sample {
  const char* name;
  LogFormat format;
};

void PrintTo(const Sample& sample, std::ostream* out) {
  *out << sample.name;
}

class Envelopes : public testing::TestWithParam<Sample> {
 protected:
  std::string log_ = read_test_file(kData + GetParam().name);
  Parsed plain_ = parse_log(read_test_file(kData + "plain.log"));
};

TEST_P(Envelopes, AreFoundByThemselves) {
  EXPECT_EQ(detect_log_format(log_), GetParam().format);
}

TEST_P(Envelopes, HoldTheSameRecords) {
  ASSERT_GT(plain_.records.size(), 20U);
  const Parsed parsed = parse_log(log_);
  EXPECT_EQ(comparable(parsed), comparable(plain_));
  EXPECT_TRUE(parsed.late_parts.empty());
  const bool started = GetParam().format == LogFormat::kCnpg;  // the instance manager's line
  EXPECT_EQ(parsed.drops, started ? DropCounts({{"other_program", 1}}) : DropCounts());
}

TEST_P(Envelopes, ReadTheSameInBlocks) {
  const Parsed whole = parse_as(GetParam().format, log_);
  for (const size_t block : {size_t{100}, size_t{1000}, size_t{7777}}) {
    const Parsed parsed = parse_as(GetParam().format, log_, block);
    EXPECT_EQ(comparable(parsed), comparable(whole)) << block;
    EXPECT_EQ(parsed.drops, whole.drops) << block;
    ASSERT_EQ(parsed.records.size(), whole.records.size());
    for (size_t i = 0; i < whole.records.size(); ++i)
      ASSERT_EQ(parsed.records[i].offset, whole.records[i].offset) << block;
  }
}

/// A daemon that was killed goes on from any record it knows of.
TEST_P(Envelopes, OffsetsAreWhereToGoOnFrom) {
  const Parsed whole = parse_as(GetParam().format, log_);
  for (size_t i = 0; i < whole.records.size(); i += 3) {
    const Parsed rest = parse_as(GetParam().format, log_.substr(whole.records[i].offset));
    ASSERT_FALSE(rest.records.empty());
    EXPECT_EQ(rest.records[0].message, whole.records[i].message);
    EXPECT_EQ(rest.records.size(), whole.records.size() - i);
  }
}

TEST_P(Envelopes, CutAnywhere) {
  const size_t step = log_.size() / 400;
  for (size_t length = 0; length < log_.size(); length += step) {
    const Parsed parsed = parse_as(GetParam().format, log_.substr(0, length));
    ASSERT_LE(parsed.records.size(), plain_.records.size()) << length;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Envelopes,
                         testing::Values(Sample{"syslog_traditional.log", LogFormat::kSyslog},
                                         Sample{"syslog_file.log", LogFormat::kSyslog},
                                         Sample{"syslog_5424.log", LogFormat::kSyslog},
                                         Sample{"kubectl_stamped.log", LogFormat::kSyslog},
                                         Sample{"journal_short.log", LogFormat::kSyslog},
                                         Sample{"journal.export", LogFormat::kJournald},
                                         Sample{"journal.json", LogFormat::kJournald},
                                         Sample{"cloudsql.json", LogFormat::kCloudSql},
                                         Sample{"cloudsql_array.json", LogFormat::kCloudSql},
                                         Sample{"cnpg.json", LogFormat::kCnpg}),
                         [](const auto& sample) {
                           std::string name = sample.param.name;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

std::string syslog_line(int pid, const std::string& text) {
  return "2026-11-22T08:00:00+00:00 db1 postgres[" + std::to_string(pid) + "]: " + text + "\n";
}

TEST(SyslogLog, ChunksOfTwoBackendsAreKeptApart) {
  const std::string head = kStamp + "[7] me@shop LOG:  statement: SELECT";
  const std::string other = kStamp + "[8] me@shop LOG:  statement: UPDATE";
  const Parsed parsed = parse_as(
      LogFormat::kSyslog, syslog_line(7, "[3-1] " + head) + syslog_line(8, "[3-1] " + other) +
                              syslog_line(7, "[3-2] #011a, b") + syslog_line(8, "[3-2] #011c") +
                              syslog_line(7, "[3-3] #011FROM t"));
  ASSERT_EQ(parsed.records.size(), 2U);
  EXPECT_EQ(parsed.records[0].message, "statement: SELECT\na, b\nFROM t");
  EXPECT_EQ(parsed.records[1].message, "statement: UPDATE\nc");
  EXPECT_TRUE(parsed.drops.empty());
}

TEST(SyslogLog, CutsInMidLineAreHealed) {
  const std::string head = kStamp + "[7] me@shop LOG:  statement: SELECT '";
  const std::string long_word(900 - head.size(), 'x');
  const Parsed parsed = parse_as(LogFormat::kSyslog, syslog_line(7, "[3-1] " + head + long_word) +
                                                         syslog_line(7, "[3-2] yz', 1") +
                                                         syslog_line(7, "[3-3]  , 2"));
  ASSERT_EQ(parsed.records.size(), 1U);
  EXPECT_EQ(parsed.records[0].message, "statement: SELECT '" + long_word + "yz', 1 , 2");
}

TEST(SyslogLog, MissingChunksAreCountedOncePerRecord) {
  const std::string head = "[7] me@shop LOG:  statement: SELECT";
  const Parsed parsed =
      parse_as(LogFormat::kSyslog,
               syslog_line(7, "[3-2] #011of a record that began before") +
                   syslog_line(7, "[3-3] #011as did this") +
                   syslog_line(7, "[4-1] " + kStamp + head) + syslog_line(7, "[4-3] #011, b") +
                   syslog_line(7, "[4-4] #011, c") + syslog_line(7, "[5] " + kStamp + head + " 1"));
  ASSERT_EQ(parsed.records.size(), 1U);
  EXPECT_EQ(parsed.records[0].message, "statement: SELECT 1");
  EXPECT_EQ(dropped(parsed, "chunk_missing"), 2U);
}

TEST(SyslogLog, StampAndPidStandInForAPrefixWithoutThem) {
  std::string log;
  for (int i = 0; i < 5; ++i)
    log +=
        syslog_line(70 + i, "[" + std::to_string(i + 1) +
                                "-1] user=me,db=shop,app=a,client=[local] LOG:  duration: 1.0 ms") +
        syslog_line(70 + i,
                    "[" + std::to_string(i + 1) +
                        "-2] user=me,db=shop,app=a,client=[local] DETAIL:  parameters: $1 = '1'");
  const Parsed parsed = parse_as(LogFormat::kSyslog, log);
  ASSERT_EQ(parsed.records.size(), 5U);
  EXPECT_TRUE(parsed.drops.empty());
  for (int i = 0; i < 5; ++i) {
    const KeptRecord& record = parsed.records[static_cast<size_t>(i)];
    EXPECT_EQ(record.at, kEight);
    EXPECT_TRUE(record.coarse);
    EXPECT_EQ(record.pid, 70 + i);
    EXPECT_EQ(record.user, "me");
    EXPECT_EQ(record.database, "shop");
    EXPECT_EQ(record.detail, "parameters: $1 = '1'");
  }
}

TEST(SyslogLog, StampsWithoutAYearAreOfTheLastTwelveMonths) {
  const auto at = [](const std::string& day) {
    const Parsed parsed =
        parse_as(LogFormat::kSyslog,
                 day + " 08:00:00 db1 postgres[7]: [3] me@shop LOG:  checkpoint starting\n");
    return parsed.records.empty() ? int64_t{0} : parsed.records[0].at;
  };
  constexpr int64_t kDay = int64_t{86'400} * 1'000'000;
  EXPECT_EQ(at("Nov 22"), kEight);
  EXPECT_EQ(at("Nov  2"), kEight - 20 * kDay);
  EXPECT_EQ(at("Nov 23"), kEight + kDay);  // a clock that is ahead
  EXPECT_EQ(at("Nov 24"), kEight + 2 * kDay - 365 * kDay);
}

TEST(SyslogLog, OtherProgramsAreCounted) {
  const Parsed parsed =
      parse_as(LogFormat::kSyslog,
               "2026-11-22T08:00:00Z db1 sshd[1]: Accepted publickey\nno header\n" +
                   syslog_line(7, "[3] " + kStamp + "[7] me@shop LOG:  statement: SELECT 1") +
                   // syslog_ident may be any word.
                   "2026-11-22T08:00:00Z db1 shopdb[7]: [4] " + kStamp +
                   "[7] me@shop LOG:  statement: BEGIN\n");
  EXPECT_EQ(parsed.records.size(), 2U);
  EXPECT_EQ(parsed.drops, DropCounts({{"other_program", 1}, {"no_syslog_header", 1}}));
}

/// What a client writes into a literal stays in it, whatever it looks like.
TEST(Envelope, TextInLiteralsBeginsNoRecord) {
  const std::string forged = kStamp + "[1] a@b LOG:  duration: 9e9 ms  statement: SELECT 'forged'";
  const std::string head = kStamp + "[7] me@shop LOG:  statement: SELECT '";
  const std::string next = kStamp + "[7] me@shop LOG:  statement: SELECT 2";
  const std::string word(900, 'x');
  const struct {
    const char* name;
    LogFormat format;
    std::string log;
  } cases[] = {
      {"a line break in a literal", LogFormat::kSyslog,
       syslog_line(7, "[3-1] " + head) + syslog_line(7, "[3-2] #011" + forged + "'")},
      {"an escape that rsyslog did not write", LogFormat::kSyslog,
       syslog_line(7, "[3] " + head + "#012" + forged + "'")},
      {"behind a word of 900 bytes", LogFormat::kSyslog,
       syslog_line(7, "[3-1] " + head) + syslog_line(7, "[3-2] #011" + word.substr(1)) +
           syslog_line(7, "[3-3] " + forged)},
      {"a chunk mark in a literal", LogFormat::kSyslog,
       syslog_line(7, "[3-1] " + head) + syslog_line(7, "[3-2] #011[4] " + forged)},
      {"a journal entry in a literal", LogFormat::kJournald,
       "__REALTIME_TIMESTAMP=1795334400000000\nSYSLOG_IDENTIFIER=postgres\n_PID=7\nMESSAGE\n" +
           std::string("\x3C\x00\x00\x00\x00\x00\x00\x00", 8) +
           (head + "\n\tMESSAGE=" + forged).substr(0, 60) + "\n\n"},
      {"an object in a literal", LogFormat::kCloudSql,
       R"({"insertId":"1","textPayload":")" + head + R"(\n\t{\"textPayload\":\")" + forged +
           R"(\"}","timestamp":"2026-11-22T08:00:00Z"})" + "\n"},
      {"a line break in a payload", LogFormat::kCloudSql,
       R"({"insertId":"1","textPayload":")" + head + R"(\n\t)" + forged +
           R"('","timestamp":"2026-11-22T08:00:00Z"})" + "\n"},
      {"a record in a message", LogFormat::kCnpg,
       R"({"level":"info","logger":"postgres","msg":"record","record":{"log_time":"2026-11-22 08:00:00.000 UTC",)"
       R"("process_id":"7","error_severity":"LOG","message":"SELECT '\"}}\n{\"logger\":\"postgres\",\"record\":{'"}})"
       "\n"},
  };
  for (const auto& c : cases) {
    const Parsed parsed = parse_as(c.format, c.log);
    ASSERT_EQ(parsed.records.size(), 1U) << c.name;
    EXPECT_EQ(parsed.records[0].pid, 7) << c.name;
    EXPECT_TRUE(parsed.late_parts.empty()) << c.name;
  }
}

TEST(CloudSqlLog, StampOfTheEntryStandsInForTheLines) {
  std::string log;
  for (int i = 0; i < 4; ++i)
    log +=
        R"({"insertId":"1","textPayload":"[143]: [)" + std::to_string(i + 1) +
        R"(-1] db=shop,user=me LOG:  statement: SELECT \"a\" < 2","timestamp":"2026-11-22T08:00:00.25Z"})"
        "\n";
  const Parsed parsed = parse_as(LogFormat::kCloudSql, log);
  ASSERT_EQ(parsed.records.size(), 4U);
  EXPECT_EQ(parsed.records[3].at, kEight + 250'000);
  EXPECT_EQ(parsed.records[3].pid, 143);
  EXPECT_EQ(parsed.records[3].user, "me");
  EXPECT_EQ(parsed.records[3].message, "statement: SELECT \"a\" < 2");
}

TEST(CloudSqlLog, TornObjectsCostThemselvesOnly) {
  const std::string whole = read_test_file(kData + "cloudsql.json");
  const std::string first = whole.substr(0, whole.find('\n') + 1);
  for (const size_t cut : {size_t{1}, size_t{12}, first.find("projects"), first.size() - 2}) {
    const Parsed parsed = parse_as(LogFormat::kCloudSql, first.substr(0, cut) + "\n" + first);
    EXPECT_EQ(parsed.records.size(), 1U) << cut;
    EXPECT_EQ(dropped(parsed, "bad_json"), 1U) << cut;
  }
}

TEST(JournalLog, LongLinesThatTheJournalCutAreHealed) {
  const auto entry = [](const std::string& text, bool cut) {
    return std::string(
               R"({"__REALTIME_TIMESTAMP":"1795334400000000","_COMM":"postgres","_PID":"3",)") +
           (cut ? R"("_LINE_BREAK":"line-max",)" : "") + R"("MESSAGE":")" + text + "\"}\n";
  };
  const Parsed parsed =
      parse_as(LogFormat::kJournald, entry(kStamp + "[7] me@shop LOG:  statement: SEL", true) +
                                         entry("ECT 1", false) + entry("\\tFROM t", false) +
                                         R"({"_COMM":"postgres","MESSAGE":null})" + "\n");
  ASSERT_EQ(parsed.records.size(), 1U);
  EXPECT_EQ(parsed.records[0].pid, 7);
  EXPECT_EQ(parsed.records[0].message, "statement: SELECT 1\nFROM t");
  EXPECT_EQ(dropped(parsed, "bad_journal_entry"), 1U);
}

TEST(EnvelopeLog, RecordsThatOutgrowTheBlockAreSkipped) {
  const auto parser = make_log_parser(LogFormat::kSyslog, {});
  Keeper keeper;
  const std::string line =
      syslog_line(7, "[3] " + kStamp + "[7] me@shop LOG:  statement: SELECT 1");
  parser->skipped(100);
  EXPECT_EQ(parser->parse("the rest of it\n" + line, true, keeper), 15 + line.size());
  ASSERT_EQ(keeper.records.size(), 1U);
  EXPECT_EQ(keeper.records[0].offset, 115U);
  EXPECT_EQ(parser->drops(), DropCounts({{"too_long", 1}}));
}

/// A backend that fell silent holds nobody up for good.
TEST(EnvelopeLog, ARecordIsWaitedForOnlySoLong) {
  const auto parser = make_log_parser(LogFormat::kSyslog, {});
  Keeper keeper;
  std::string log = syslog_line(7, "[3-1] " + kStamp + "[7] me@shop LOG:  statement: SELECT") +
                    syslog_line(7, "[3-2] #0111");
  for (int i = 0; i < 400; ++i)
    log += syslog_line(
        8, "[" + std::to_string(i + 1) + "] " + kStamp + "[8] me@shop LOG:  statement: BEGIN");
  EXPECT_GT(parser->parse(log, false, keeper), log.size() - 300);
  EXPECT_GT(keeper.records.size(), 390U);
  EXPECT_EQ(keeper.records[0].message, "statement: SELECT\n1");
}

TEST(RdsLog, PrefixIsKnownAndRecordsThatWereCutAreLeftOut) {
  const std::string head = "2026-11-22 08:00:00 UTC:10.0.0.1(4321):me@shop:[7]:";
  const std::string log =
      head + "LOG:  duration: 1.0 ms  execute <unnamed>: SELECT 1\n" + head +
      "DETAIL:  parameters: $1 = 'a [Your log message was truncated]\n" + head +
      "LOG:  duration: 1.0 ms  statement: SELECT '[Your log message was truncated]'\n" + head +
      "LOG:  duration: 1.0 ms  statement: SEL [Your log message was truncated]\n" + head +
      "LOG:  disconnection\n";
  for (const bool named : {true, false}) {
    const Parsed parsed = named ? parse_as(LogFormat::kRds, log) : parse_log(log);
    ASSERT_EQ(parsed.records.size(), 2U);
    EXPECT_EQ(parsed.records[0].client_host, "10.0.0.1");
    EXPECT_EQ(parsed.records[0].user, "me");
    EXPECT_EQ(parsed.drops, DropCounts({{"cut_by_rds", 2}}));
  }
}

/// /var/log/pods: long lines in parts of 16 KiB.
TEST(PodLog, LinesThatTheRuntimeCutAreHealed) {
  const auto in_parts = [](const std::string& log, size_t size) {
    std::string cut;
    for (size_t at = 0; at < log.size();) {
      const size_t end = log.find('\n', at);
      for (; end - at > size; at += size)
        cut += "2026-11-22T08:00:00.123456789Z stderr P " + log.substr(at, size) + "\n";
      cut += "2026-11-22T08:00:00.123456789Z stderr F " + log.substr(at, end - at) + "\n";
      at = end + 1;
    }
    return cut;
  };
  const std::pair<const char*, LogFormat> logs[] = {{"plain.log", LogFormat::kSyslog},
                                                    {"cnpg.json", LogFormat::kCnpg}};
  for (const auto& [name, format] : logs) {
    const std::string log = read_test_file(kData + name);
    const std::vector<Comparable> expected = comparable(parse_log(log));
    const std::string cut = in_parts(log, 200);
    EXPECT_EQ(detect_log_format(cut), format);
    for (const size_t block : {SIZE_MAX, size_t{333}}) {
      const Parsed parsed = parse_as(format, cut, block);
      EXPECT_EQ(comparable(parsed), expected) << name;
      EXPECT_EQ(dropped(parsed, "truncated") + dropped(parsed, "bad_json"), 0U);
    }
  }
}

TEST(LogFormat, Names) {
  EXPECT_EQ(log_format_named("cnpg"), LogFormat::kCnpg);
  EXPECT_EQ(log_format_named("journald"), LogFormat::kJournald);
  EXPECT_EQ(log_format_named("auto"), std::nullopt);
}

}  // namespace
}  // namespace ectoscope
