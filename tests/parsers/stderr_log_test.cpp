#include "parsers/stderr_log.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/parsers/log_helpers.h"

namespace ectoscope {
namespace {

constexpr const char* kHead = "2026-11-22 08:29:33.354 UTC [8] me@shop ";

std::string head(int pid, const std::string& who = "me@shop", int ms = 354) {
  return "2026-11-22 08:29:33." + std::to_string(ms) + " UTC [" + std::to_string(pid) + "] " + who +
         " ";
}

LogParserOptions with_prefix(const std::string& prefix = "%m [%p] %q%u@%d ") {
  LogParserOptions options;
  options.log_line_prefix = prefix;
  return options;
}

Parsed parse(const std::string& log, const LogParserOptions& options = with_prefix()) {
  const auto parser = make_stderr_parser(options);
  return parse_in_blocks(*parser, log, log.size() + 1);
}

TEST(StderrLog, RecordWithAllItsParts) {
  const std::string log = head(8) + "ERROR:  duplicate key at character 37\n" +  //
                          head(8) + "DETAIL:  Key (id)=(1) exists.\n" +          //
                          head(8) + "HINT:  Use another.\n" +                    //
                          head(8) + "QUERY:  internal\n" +                       //
                          head(8) + "CONTEXT:  line one\n\tline two\n" +         //
                          head(8) + "STATEMENT:  INSERT\n\t\tINTO x\n";
  const Parsed parsed = parse(log);
  ASSERT_EQ(parsed.records.size(), 1U);
  const KeptRecord& record = parsed.records[0];
  EXPECT_EQ(record.severity, LogSeverity::kError);
  EXPECT_EQ(record.message, "duplicate key");
  EXPECT_EQ(record.detail, "Key (id)=(1) exists.");
  EXPECT_EQ(record.hint, "Use another.");
  EXPECT_EQ(record.context, "line one\nline two");
  EXPECT_EQ(record.statement, "INSERT\n\tINTO x");
  EXPECT_EQ(record.pid, 8);
  EXPECT_EQ(record.user, "me");
  EXPECT_EQ(record.offset, 0U);
  EXPECT_TRUE(parsed.drops.empty());
}

TEST(StderrLog, Messages) {
  const struct {
    const char* name;
    std::string log;
    std::string message;
  } cases[] = {
      {"one line", "LOG:  a\n", "a"},
      {"two lines", "LOG:  a\n\tb\n", "a\nb"},
      {"own TABs stay", "LOG:  a\tx\n\t\tb\n", "a\tx\n\tb"},
      {"empty lines", "LOG:  a\n\t\n\tb\n\t\n", "a\n\nb\n"},
      {"CRLF", "LOG:  a\r\n\tb\r\n", "a\nb"},
      {"a CR of its own", "LOG:  a\r\n\tb\n", "a\r\nb"},
      {"NUL bytes and bad UTF-8", std::string("LOG:  a\0\xFF\xC3z\n", 12),
       std::string("a\0\xFF\xC3z", 5)},
      {"empty", "LOG:  \n", ""},
      {"position of a LOG stays", "LOG:  x at character 3\n", "x at character 3"},
      {"position, in German", "FEHLER:  x bei Zeichen 3\n", "x"},
      {"looks like a part", "LOG:  DETAIL:  x\n", "DETAIL:  x"},
  };
  for (const auto& c : cases) {
    const Parsed parsed = parse(kHead + c.log);
    ASSERT_EQ(parsed.records.size(), 1U) << c.name;
    EXPECT_EQ(parsed.records[0].message, c.message) << c.name;
    EXPECT_TRUE(parsed.drops.empty()) << c.name;
  }
}

TEST(StderrLog, PartsOfOthersComeLate) {
  const std::string log = head(8) + "LOG:  eight\n" + head(9) + "LOG:  nine\n" + head(8) +
                          "DETAIL:  of eight\n" + head(9) + "STATEMENT:  of nine\n\tmore\n";
  const Parsed parsed = parse(log);
  ASSERT_EQ(parsed.records.size(), 2U);
  EXPECT_EQ(parsed.records[0].detail, "");
  EXPECT_EQ(parsed.records[1].statement, "");
  ASSERT_EQ(parsed.late_parts.size(), 2U);
  EXPECT_EQ(parsed.late_parts[0].pid, 8);
  EXPECT_EQ(parsed.late_parts[0].detail, "of eight");
  EXPECT_EQ(parsed.late_parts[1].pid, 9);
  EXPECT_EQ(parsed.late_parts[1].statement, "of nine\nmore");
}

TEST(StderrLog, PartWhoseLineNumberGrewByADigit) {
  const std::string prefix = "%m [%p] l=%l %q%u@%d ";
  const auto line = [](int number, const std::string& rest) {
    return "2026-11-22 08:29:33.354 UTC [8] l=" + std::to_string(number) + " me@shop " + rest +
           "\n";
  };
  const Parsed parsed =
      parse(line(9, "LOG:  a") + line(10, "DETAIL:  b") + line(11, "LOG:  c"), with_prefix(prefix));
  ASSERT_EQ(parsed.records.size(), 2U);
  EXPECT_EQ(parsed.records[0].detail, "b");
  EXPECT_TRUE(parsed.late_parts.empty());
}

TEST(StderrLog, Verbose) {
  const std::string log = head(8) + "ERROR:  22012: division by zero\n" + head(8) +
                          "LOCATION:  int4div, int.c:824\n" + head(8) + "STATEMENT:  select 1/0\n" +
                          head(8) + "LOG:  00000: duration: 1 ms\n" + head(8) +
                          "ERROR:  42P01: no table\n";
  const Parsed parsed = parse(log);
  ASSERT_EQ(parsed.records.size(), 3U);
  EXPECT_EQ(parsed.records[0].sqlstate, "22012");
  EXPECT_EQ(parsed.records[0].message, "division by zero");
  EXPECT_EQ(parsed.records[0].statement, "select 1/0");
  EXPECT_EQ(parsed.records[1].message, "duration: 1 ms");
  EXPECT_EQ(parsed.records[2].sqlstate, "42P01");
  // Without a sign that the server is verbose, it is text.
  EXPECT_EQ(parse(head(8) + "ERROR:  ABCDE: x\n").records[0].message, "ABCDE: x");
}

TEST(StderrLog, Languages) {
  const std::string log = head(8) + "FEHLER:  a\n" + head(8) + "TIPP:  b\n" + head(8) +
                          "ZUSAMMENHANG:  c\n" + head(8) + "ANWEISUNG:  d\n" + head(8) +
                          "ERREUR:  a\n" + head(8) + "DÉTAIL:  b\n" + head(8) +
                          "INSTRUCTION :  d\n" + head(8) + "ERROR:  a\n" + head(8) +
                          "DETALLE:  b\n" + head(8) + "SENTENCIA:  d\n";
  const Parsed parsed = parse(log);
  ASSERT_EQ(parsed.records.size(), 3U);
  for (const KeptRecord& record : parsed.records) {
    EXPECT_EQ(record.severity, LogSeverity::kError);
    EXPECT_EQ(record.statement, "d");
  }
  EXPECT_EQ(parsed.records[0].hint, "b");
  EXPECT_EQ(parsed.records[0].context, "c");
  EXPECT_EQ(parsed.records[1].detail, "b");
  EXPECT_EQ(parsed.records[2].detail, "b");
}

TEST(StderrLog, WhatIsNoRecordIsCounted) {
  const struct {
    const char* name;
    std::string log;
    DropCounts drops;
  } cases[] = {
      {"begins inside a record",
       "\trest of it\n\tmore\n" + head(8) + "LOG:  a\n",
       {{"truncated", 1}}},
      {"library's own output", head(8) + "LOG:  a\nld.so: hello\n", {{"no_prefix", 1}}},
      {"cut at the end", head(8) + "LOG:  a\n" + head(8) + "LOG:  cut he", {{"truncated", 1}}},
      {"cut in a prefix, then on",
       head(8) + "LOG:  a\n" + head(9).substr(0, 35) + "\n" + head(8) + "LOG:  b\n",
       {{"truncated", 1}}},
  };
  for (const auto& c : cases) {
    const Parsed parsed = parse(c.log);
    EXPECT_EQ(parsed.drops, c.drops) << c.name;
    ASSERT_FALSE(parsed.records.empty()) << c.name;
    EXPECT_EQ(parsed.records[0].message, "a") << c.name;
  }
}

TEST(StderrLog, JunkBetweenARecordAndItsDetail) {
  const Parsed parsed = parse(head(8) + "LOG:  a\njunk\n" + head(8) + "DETAIL:  b\n");
  ASSERT_EQ(parsed.records.size(), 1U);
  ASSERT_EQ(parsed.late_parts.size(), 1U);
  EXPECT_EQ(parsed.late_parts[0].detail, "b");
}

std::string lines_in(const std::string& before_word, int count) {
  std::string log;
  for (int i = 0; i < count; ++i)
    log += before_word + "LOG:  line " + std::to_string(i) + "\n";
  return log;
}

TEST(StderrLog, PrefixThatChangesIsFoundAgain) {
  const std::string with_app = "2026-11-22 08:29:34.354 UTC [8] me@shop app=x sess=1.8 ";
  const std::string for_rds = "2026-11-22 08:29:35 UTC:10.0.0.1(5):me@shop:[8]:";
  for (const LogParserOptions& options : {LogParserOptions{}, with_prefix()}) {
    const Parsed parsed =
        parse(lines_in(head(8), 300) + lines_in(with_app, 300) + lines_in(for_rds, 300), options);
    ASSERT_EQ(parsed.records.size(), 900U);
    EXPECT_TRUE(parsed.drops.empty());
    EXPECT_EQ(parsed.records[299].application, "");
    EXPECT_EQ(parsed.records[300].application, "x");
    EXPECT_EQ(parsed.records[300].database, "shop");
    EXPECT_EQ(parsed.records[899].client_host, "10.0.0.1");
  }
}

TEST(StderrLog, OneStrangeLineInALongLogIsNoNewPrefix) {
  const Parsed parsed =
      parse(lines_in(head(8), 300) + "2026-11-22 08:29:34.354 UTC [1] u=x db=y LOG:  z\n" +
            lines_in(head(8), 300));
  EXPECT_EQ(parsed.records.size(), 600U);
  EXPECT_EQ(parsed.drops.begin()->second, 1U);
}

TEST(StderrLog, SessionlessLinesFarBehindTheFirst) {
  const std::string background =
      "2026-11-22 08:29:34.354 UTC [1] LOG:  checkpoint starting: time\n";
  const Parsed parsed = parse(lines_in(head(8), 300) + background + lines_in(head(8), 5), {});
  EXPECT_EQ(parsed.records.size(), 306U);
  EXPECT_TRUE(parsed.drops.empty());
  EXPECT_EQ(parsed.records[300].user, "");
}

TEST(StderrLog, TooLongRecordIsLeftOut) {
  const auto parser = make_stderr_parser(with_prefix());
  Keeper keeper;
  const std::string first =
      head(8) + "LOG:  a\n" + head(8) + "LOG:  endless " + std::string(100'000, '.');
  const size_t used = parser->parse(first, false, keeper);
  EXPECT_EQ(used, head(8).size() + 8) << "the record before it is whole";
  parser->skipped(first.size() - used);
  parser->skipped(1000);
  const std::string rest = "still the same\n\tand on\n" + head(8) + "LOG:  b\n";
  EXPECT_EQ(parser->parse(rest, true, keeper), rest.size());
  ASSERT_EQ(keeper.records.size(), 2U);
  EXPECT_EQ(keeper.records[1].message, "b");
  EXPECT_EQ(keeper.records[1].offset, first.size() + 1000 + 23);
  EXPECT_EQ(parser->drops(), (DropCounts{{"too_long", 1}}));
}

TEST(StderrLog, GoesOnAfterLast) {
  // As a tail does: `last` when the file has fallen quiet, then more.
  const auto parser = make_stderr_parser(with_prefix());
  Keeper keeper;
  const std::string one = head(8) + "LOG:  a\n";
  EXPECT_EQ(parser->parse(one, true, keeper), one.size());
  EXPECT_EQ(parser->parse(one, true, keeper), one.size());
  ASSERT_EQ(keeper.records.size(), 2U);
  EXPECT_EQ(keeper.records[1].offset, one.size());
}

}  // namespace
}  // namespace ectoscope
