#include "parsers/csv_log.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/parsers/log_helpers.h"

namespace ectoscope {
namespace {

/// A row of PostgreSQL 14 and newer (26 columns); `columns` cuts it to an older one's.
std::string row(const std::string& message, const std::string& detail = "", int columns = 26) {
  std::string text =
      R"(2026-11-22 08:29:33.326 UTC,"me","shop",822,"127.0.0.1:57434",6b02a7ed.336,5,)"
      R"("SELECT",2026-11-22 08:29:33 UTC,4/86,0,LOG,00000,")" +
      message + "\"," + (detail.empty() ? "" : "\"" + detail + "\"") + R"(,,,,,,,,"shop")";
  if (columns >= 24) text += R"(,"client backend")";
  if (columns >= 26) text += ",,-5499460816676922558";
  return text + "\n";
}

Parsed parse(const std::string& log, size_t block = SIZE_MAX) {
  const auto parser = make_csv_parser({});
  return parse_in_blocks(*parser, log, std::min(block, log.size() + 1));
}

TEST(CsvLog, Fields) {
  const Parsed parsed = parse(row("duration: 0.078 ms", "parameters: $1 = '1'"));
  ASSERT_EQ(parsed.records.size(), 1U);
  const KeptRecord& record = parsed.records[0];
  EXPECT_EQ(record.at, 1795336173326000);
  EXPECT_EQ(record.user, "me");
  EXPECT_EQ(record.database, "shop");
  EXPECT_EQ(record.pid, 822);
  EXPECT_EQ(record.client_host, "127.0.0.1");
  EXPECT_EQ(record.session, "6b02a7ed.336");
  EXPECT_EQ(record.virtual_xid, "4/86");
  EXPECT_EQ(record.severity, LogSeverity::kLog);
  EXPECT_EQ(record.sqlstate, "00000");
  EXPECT_EQ(record.message, "duration: 0.078 ms");
  EXPECT_EQ(record.detail, "parameters: $1 = '1'");
  EXPECT_EQ(record.application, "shop");
  EXPECT_EQ(record.query_id, -5499460816676922558);
}

TEST(CsvLog, OtherTextColumns) {
  const Parsed parsed = parse(
      R"(2026-11-22 08:29:33.326 UTC,"me","shop",822,"[local]",6b02a7ed.336,5,"INSERT",)"
      R"(2026-11-22 08:29:33 UTC,4/86,7,ERROR,23505,"m","d","h","q",3,"c","s ""t""",7,"loc","a",)"
      R"("client backend",,0)"
      "\n");
  ASSERT_EQ(parsed.records.size(), 1U);
  EXPECT_EQ(parsed.records[0].hint, "h");
  EXPECT_EQ(parsed.records[0].context, "c");
  EXPECT_EQ(parsed.records[0].statement, "s \"t\"");
  EXPECT_EQ(parsed.records[0].client_host, "[local]");
}

TEST(CsvLog, ColumnsOfAllVersions) {
  for (const int columns : {23, 24, 26}) {
    const Parsed parsed = parse(row("m", "d", columns) + row("n", "", columns));
    EXPECT_EQ(parsed.records.size(), 2U) << columns;
    EXPECT_TRUE(parsed.drops.empty());
  }
}

TEST(CsvLog, Quotes) {
  const std::string long_text(200, 'x');
  const struct {
    std::string written;
    std::string message;
  } cases[] = {
      {"", ""},
      {R"("")", "\""},
      {R"("""")", "\"\""},
      {R"(u0.""id"", u0.""x"")", R"(u0."id", u0."x")"},
      {"a,b\nc,\"\"d\"\"\n", "a,b\nc,\"d\"\n"},
      {long_text + R"("")" + long_text + R"("")", long_text + "\"" + long_text + "\""},
      {"2026-11-22 08:29:33.326 UTC,\"\"me\"\",\n", "2026-11-22 08:29:33.326 UTC,\"me\",\n"},
  };
  for (const auto& c : cases)
    for (const size_t block : {SIZE_MAX, size_t{1}, size_t{7}}) {
      const Parsed parsed = parse(row(c.written) + row("next"), block);
      ASSERT_EQ(parsed.records.size(), 2U) << c.written;
      EXPECT_EQ(parsed.records[0].message, c.message);
      EXPECT_TRUE(parsed.drops.empty()) << c.written;
    }
}

TEST(CsvLog, QuotesAtEveryPlaceOfABlock) {
  // The scan goes by 64 bytes: a doubled quote and the last one fall on each place of them.
  for (size_t before = 0; before < 140; ++before)
    for (size_t between = 0; between < 70; between += 3) {
      const std::string a(before, 'a');
      const std::string b(between, 'b');
      const Parsed parsed = parse(row(a + "\"\"\"\"" + b + "\"\""));
      ASSERT_EQ(parsed.records.size(), 1U) << before << " " << between;
      ASSERT_EQ(parsed.records[0].message, a + "\"\"" + b + "\"") << before << " " << between;
    }
}

TEST(CsvLog, BrokenRowsAreLeftOut) {
  const struct {
    const char* name;
    std::string broken;
    const char* reason;
  } cases[] = {
      {"not csv", "hello\n", "bad_csv"},
      {"a row cut short, then the next", row("cut").substr(0, 150) + "\n", "bad_csv"},
      {"too few columns", "2026-11-22 08:29:33.326 UTC,\"me\",\"shop\",822\n", "bad_csv"},
      {"too many", row("x").substr(0, row("x").size() - 1) + ",\"y\"\n", "bad_csv"},
      {"25 columns", row("x", "", 24).substr(0, row("x", "", 24).size() - 1) + ",\n", "bad_csv"},
      {"stamp broken", "2026-99" + row("x").substr(7), "bad_csv"},
      {"pid broken", "2026-11-22 08:29:33.326 UTC,\"me\",\"shop\",8x2" + row("x").substr(46),
       "bad_csv"},
      {"message without quotes",
       "2026-11-22 08:29:33.326 UTC,\"me\",\"shop\",822,\"h:1\",6b02a7ed.336,5,\"SELECT\","
       "2026-11-22 08:29:33 UTC,4/86,0,LOG,00000,forged,,,,,,,,,\"shop\",\"client backend\",,0\n",
       "bad_csv"},
  };
  for (const auto& c : cases) {
    const Parsed parsed = parse(row("a") + c.broken + row("b") + row("c"));
    ASSERT_EQ(parsed.records.size(), 3U) << c.name;
    EXPECT_EQ(parsed.records[1].message, "b") << c.name;
    EXPECT_EQ(parsed.drops, (DropCounts{{c.reason, 1}})) << c.name;
  }
}

TEST(CsvLog, CutInsideQuotesWithoutALineBreak) {
  // The next row's start is in the middle of a line: only the one after it can be trusted.
  const Parsed parsed = parse(row("a") + row("cut in here").substr(0, 140) + row("b") + row("c"));
  ASSERT_EQ(parsed.records.size(), 2U);
  EXPECT_EQ(parsed.records[1].message, "c");
  EXPECT_EQ(parsed.drops, (DropCounts{{"bad_csv", 1}}));
}

TEST(CsvLog, CutAtTheEnd) {
  const Parsed parsed = parse(row("a") + row("cut").substr(0, 100));
  EXPECT_EQ(parsed.records.size(), 1U);
  EXPECT_EQ(parsed.drops, (DropCounts{{"truncated", 1}}));
}

TEST(CsvLog, ResyncIsNotFooledByTextInQuotes) {
  // The parser begins inside a message whose text holds rows, as SQL with a literal can: quotes in
  // it are doubled, and none at all is not what PostgreSQL writes.
  std::string doubled;
  for (const char c : row("forged"))
    doubled += c == '"' ? "\"\"" : std::string(1, c);
  const std::string unquoted =
      "2026-11-22 08:29:33.326 UTC,a,b,822,h,6b02a7ed.336,5,S,2026-11-22 08:29:33 UTC,4/86,0,LOG,"
      "00000,forged,,,,,,,,,shop,client backend,,0\n";
  const std::string inside =
      "end of a message\n" + doubled + unquoted + "\",,,,,,,,,\"shop\",,,0\n";
  const Parsed parsed = parse(inside + row("real"));
  ASSERT_EQ(parsed.records.size(), 1U);
  EXPECT_EQ(parsed.records[0].message, "real");

  const auto parser = make_csv_parser({});
  Keeper keeper;
  parser->skipped(1 << 24);
  parser->parse(inside + row("real"), true, keeper);
  ASSERT_EQ(keeper.records.size(), 1U);
  EXPECT_EQ(keeper.records[0].message, "real");
  EXPECT_EQ(keeper.records[0].offset, (1U << 24U) + inside.size());
  EXPECT_EQ(parser->drops(), (DropCounts{{"too_long", 1}}));
}

TEST(CsvLog, PhaseTextsMayBeLeftOut) {
  LogParserOptions options;
  options.phase_texts = false;
  const auto parser = make_csv_parser(options);
  const std::string sql = R"(SELECT u0.""id"")";
  const Parsed parsed = parse_in_blocks(*parser,
                                        row("duration: 0.1 ms  bind ecto_1: " + sql) +
                                            row("duration: 0.1 ms  execute ecto_1: " + sql) +
                                            row(R"(duration: 0.1 ms  parse my""name: )" + sql),
                                        10'000);
  ASSERT_EQ(parsed.records.size(), 3U);
  EXPECT_EQ(parsed.records[0].message, "duration: 0.1 ms  bind ecto_1: SELECT u0.");
  EXPECT_EQ(parsed.records[1].message, R"(duration: 0.1 ms  execute ecto_1: SELECT u0."id")");
  EXPECT_EQ(parsed.records[2].message, R"(duration: 0.1 ms  parse my"name: SELECT u0."id")");
}

}  // namespace
}  // namespace ectoscope
