#include <cmath>
#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "outputs/json_report.h"
#include "outputs/json_writer.h"
#include "outputs/text_layout.h"
#include "outputs/text_report.h"
#include "tests/golden.h"
#include "tests/outputs/sample.h"

namespace ectoscope {
namespace {

std::string json_of(const AnalysisReport& report) {
  std::ostringstream out;
  write_json_report(report, "0.1.0", out);
  return out.str();
}

std::string text_of(const TextStyle& style) {
  QueryTable queries(16);
  const AnalysisReport report = sample_report(queries);
  std::ostringstream out;
  write_text_report(report, queries, style, out);
  return out.str();
}

TEST(JsonReport, HasTheWholeSchema) {
  QueryTable queries(16);
  expect_golden("outputs/report.json", json_of(sample_report(queries)));
}

TEST(JsonReport, EmptyHasEveryKey) {
  expect_golden("outputs/empty.json", json_of(AnalysisReport{}));
}

TEST(TextReport, Plain) {
  expect_golden("outputs/report.txt", text_of({}));
}

TEST(TextReport, NarrowAsciiWithColours) {
  expect_golden("outputs/report_narrow.txt",
                text_of({.width = 60, .colours = true, .unicode = false}));
}

TEST(TextReport, NothingFromTheLogReachesTheTerminal) {
  const std::string text = text_of({});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\x07'), std::string::npos);
  EXPECT_EQ(text.find("\xE2\x80\xAE"), std::string::npos);  // turns the line around
}

TEST(TextReport, LinesFit) {
  for (const size_t width : {60U, 80U, 200U}) {
    std::istringstream lines(text_of({.width = width}));
    for (std::string line; std::getline(lines, line);)
      EXPECT_LE(columns(line), width) << line;
  }
}

TEST(TextReport, TheRestInBrief) {
  QueryTable queries(16);
  const AnalysisReport report = sample_report(queries);
  std::ostringstream out;
  write_text_report(report, queries, {}, out, 1);
  const std::string text = out.str();
  EXPECT_THAT(text, testing::HasSubstr("And 1 more finding:\n\n  warning  slow_query: SELECT "));
  EXPECT_THAT(text, testing::HasSubstr("2 findings (1 critical, 1 warning)"));
  EXPECT_EQ(text.find("slow_query-0000"), std::string::npos);
}

TEST(TextReport, WithoutFindingsSaysSo) {
  QueryTable queries(1);
  std::ostringstream out;
  write_text_report({}, queries, {}, out);
  EXPECT_EQ(out.str(), "0 findings in 0 statements of 0 requests, 0 log records, 0 B.\n");
}

std::string json_value(auto value) {
  std::ostringstream out;
  JsonWriter json(out);
  json.begin_array(JsonWriter::Layout::kInline);
  json.value(value);
  json.end_array();
  return out.str();
}

TEST(JsonWriter, Numbers) {
  EXPECT_EQ(json_value(0.1), "[0.1]\n");
  EXPECT_EQ(json_value(310.2), "[310.2]\n");
  EXPECT_EQ(json_value(1.0), "[1]\n");
  EXPECT_EQ(json_value(-0.0), "[0]\n");
  EXPECT_EQ(json_value(1.0 / 3), "[0.333333]\n");
  EXPECT_EQ(json_value(0.95 - 0.1 + 0.1), "[0.95]\n") << "not 0.9499999999999998";
  EXPECT_EQ(json_value(1e300), "[1e+300]\n");
  EXPECT_EQ(json_value(123456789012.125), "[123456789012.125]\n");
  EXPECT_EQ(json_value(std::nan("")), "[null]\n");
  EXPECT_EQ(json_value(std::numeric_limits<double>::infinity()), "[null]\n");
  EXPECT_EQ(json_value(std::numeric_limits<int64_t>::min()), "[-9223372036854775808]\n");
  EXPECT_EQ(json_value(std::numeric_limits<uint64_t>::max()), "[18446744073709551615]\n");
}

TEST(JsonWriter, Text) {
  const struct {
    std::string_view raw;
    const char* json;
  } cases[] = {
      {"\"\\\n\t", R"(["\"\\\n\t"])"},
      {std::string_view("\0\x1f\x7f", 3), R"(["\u0000\u001f\u007f"])"},
      {"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x98", "[\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x98\"]"},
      {"\xC3", "[\"\xEF\xBF\xBD\"]"},                                    // cut off
      {"\xC0\xAF", "[\"\xEF\xBF\xBD\xEF\xBF\xBD\"]"},                    // overlong
      {"\xED\xA0\x80x", "[\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx\"]"},  // surrogate
      {"a\xFF", "[\"a\xEF\xBF\xBD\"]"},
  };
  for (const auto& [raw, json] : cases)
    EXPECT_EQ(json_value(raw), std::string(json) + "\n");
}

TEST(Layout, ShortensSqlAroundItsWhere) {
  const TextStyle ascii{.unicode = false};
  const std::string sql =
      "SELECT u0.\"id\", u0.\"email\" FROM \"users\" AS u0 WHERE (u0.\"id\" = $1)";
  EXPECT_EQ(shorten_sql(sql, 100, ascii), sql);
  EXPECT_EQ(shorten_sql(sql, 60, ascii), "SELECT ... FROM \"users\" AS u0 WHERE (u0.\"id\" = $1)");
  const std::string shortest = shorten_sql(sql, 40, ascii);
  EXPECT_EQ(shortest, "SELECT ... FRO ... WHERE (u0.\"id\" = $1)");
  EXPECT_LE(columns(shortest), 40U);
  // FROM inside a call is not the statement's.
  EXPECT_THAT(shorten_sql("SELECT extract(year FROM o0.\"at\"), o0.\"total\" FROM \"orders\" AS o0",
                          40, ascii),
              testing::HasSubstr("FROM \"orders\""));
}

TEST(Layout, Numbers) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(1234567), "1,234,567");
  EXPECT_EQ(count_of(1, "trace", "traces"), "1 trace");
  EXPECT_EQ(readable(Micros(824)), "0.82 ms");
  EXPECT_EQ(readable(Micros(33'100)), "33.1 ms");
  EXPECT_EQ(readable(Micros(1'250'000)), "1.25 s");
  EXPECT_EQ(readable(Micros(180'000'000)), "3.0 min");
  EXPECT_EQ(readable_bytes(999), "999 B");
  EXPECT_EQ(readable_bytes(12'400'000), "12.4 MB");
}

TEST(Layout, Harmless) {
  EXPECT_EQ(harmless("a\tb\r\nc"), "a b  c");
  EXPECT_EQ(harmless("\x1b[0m\x9b"), "\\x1b[0m?");
  EXPECT_EQ(harmless("\xC2\x9B"), "\\x9b");  // C1 as UTF-8 is obeyed too
  EXPECT_EQ(harmless("\xE2\x80\xAE"), "\\u202e");
  EXPECT_EQ(harmless("caf\xC3\xA9"), "caf\xC3\xA9");
}

}  // namespace
}  // namespace ectoscope
