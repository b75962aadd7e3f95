#include "parsers/json_log.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/parsers/log_helpers.h"

namespace ectoscope {
namespace {

std::string object(const std::string& message) {
  return R"({"timestamp":"2026-11-22 08:29:33.463 UTC","user":"me","dbname":"shop","pid":828,)"
         R"("remote_host":"127.0.0.1","remote_port":57434,"session_id":"6b02a7ed.33c","line_num":19,)"
         R"("ps":"BIND","session_start":"2026-11-22 08:29:33 UTC","vxid":"12/11","txid":0,)"
         R"("error_severity":"LOG","message":")" +
         message +
         R"(","detail":"d","application_name":"shop","backend_type":"client backend",)"
         R"("query_id":-3796518861162747401})"
         "\n";
}

Parsed parse(const std::string& log, size_t block = SIZE_MAX) {
  const auto parser = make_json_parser({});
  return parse_in_blocks(*parser, log, std::min(block, log.size() + 1));
}

TEST(JsonLog, Fields) {
  const Parsed parsed = parse(object("hello"));
  ASSERT_EQ(parsed.records.size(), 1U);
  const KeptRecord& record = parsed.records[0];
  EXPECT_EQ(record.at, 1795336173463000);
  EXPECT_EQ(record.user, "me");
  EXPECT_EQ(record.database, "shop");
  EXPECT_EQ(record.pid, 828);
  EXPECT_EQ(record.client_host, "127.0.0.1");
  EXPECT_EQ(record.session, "6b02a7ed.33c");
  EXPECT_EQ(record.virtual_xid, "12/11");
  EXPECT_EQ(record.severity, LogSeverity::kLog);
  EXPECT_EQ(record.message, "hello");
  EXPECT_EQ(record.detail, "d");
  EXPECT_EQ(record.application, "shop");
  EXPECT_EQ(record.query_id, -3796518861162747401);
}

TEST(JsonLog, Escapes) {
  const std::string dots(100, '.');
  const struct {
    std::string written;
    std::string message;
  } cases[] = {
      {"", ""},
      {R"(\"a\")", "\"a\""},
      {R"(a\\)", "a\\"},
      {R"(a\\\")", "a\\\""},
      {R"(a\\\\)", "a\\\\"},
      {R"(\n\t\r\b\f\/)", "\n\t\r\b\f/"},
      {R"(\u0041\u00e9\u20ac\ud83d\ude00)", "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
      {R"(\ud83d lone)", "? lone"},
      {R"(\u12)", "?12"},
      {R"(\u0000x)", std::string("\0x", 2)},
      {dots + R"(\")" + dots + R"(\\\")" + dots, dots + "\"" + dots + "\\\"" + dots},
      {"raw \xC3\xA9 \xFF", "raw \xC3\xA9 \xFF"},
      {R"(},{:,[]{)", "},{:,[]{"},
  };
  for (const auto& c : cases)
    for (const size_t block : {SIZE_MAX, size_t{11}}) {
      const Parsed parsed = parse(object(c.written) + object("next"), block);
      ASSERT_EQ(parsed.records.size(), 2U) << c.written;
      EXPECT_EQ(parsed.records[0].message, c.message) << c.written;
      EXPECT_TRUE(parsed.drops.empty()) << c.written;
    }
}

TEST(JsonLog, EscapesAtEveryPlaceOfABlock) {
  for (size_t before = 0; before < 140; ++before)
    for (const auto& [written, text] : {std::pair<std::string, std::string>{R"(\")", "\""},
                                        {R"(\\)", "\\"},
                                        {R"(\\\")", "\\\""}}) {
      const std::string a(before, 'a');
      const Parsed parsed = parse(object(a + written + "b"));
      ASSERT_EQ(parsed.records.size(), 1U) << before;
      ASSERT_EQ(parsed.records[0].message, a + text + "b") << before;
    }
}

TEST(JsonLog, LinesThatAreNoRecord) {
  const struct {
    const char* name;
    std::string line;
  } cases[] = {
      {"plain text", "redirecting log output\n"},
      {"cut", object("x").substr(0, 60) + "\n"},
      {"cut in an escape", "{\"timestamp\":\"2026-11-22 08:29:33.463 UTC\",\"message\":\"a\\\n"},
      {"no stamp", "{\"pid\":1,\"message\":\"x\"}\n"},
      {"no pid", "{\"timestamp\":\"2026-11-22 08:29:33.463 UTC\"}\n"},
      {"nested", R"({"timestamp":"2026-11-22 08:29:33.463 UTC","pid":1,"x":{"a":1}})"
                 "\n"},
      {"text behind it", object("x").substr(0, object("x").size() - 1) + "x\n"},
      {"no comma", R"({"timestamp":"2026-11-22 08:29:33.463 UTC" "pid":1})"
                   "\n"},
      {"empty object", "{}\n"},
  };
  for (const auto& c : cases) {
    const Parsed parsed = parse(object("a") + c.line + object("b"));
    EXPECT_EQ(parsed.records.size(), 2U) << c.name;
    EXPECT_EQ(parsed.drops, (DropCounts{{"bad_json", 1}})) << c.name;
  }
}

TEST(JsonLog, OtherWritersStyle) {
  // Other tools write the same object with blanks, in another order, with CRLF.
  const Parsed parsed = parse(
      "{ \"pid\" : 7 , \"message\": \"x\", \"timestamp\": \"2026-11-22 08:29:33.463 UTC\" , "
      "\"extra\": true, \"none\": null }\r\n\n");
  ASSERT_EQ(parsed.records.size(), 1U);
  EXPECT_EQ(parsed.records[0].pid, 7);
  EXPECT_TRUE(parsed.drops.empty());
}

TEST(JsonLog, TooLongAndTruncated) {
  const auto parser = make_json_parser({});
  Keeper keeper;
  parser->skipped(1000);
  const std::string rest = "end of it\"}\n" + object("a") + object("b").substr(0, 50);
  EXPECT_EQ(parser->parse(rest, true, keeper), rest.size());
  ASSERT_EQ(keeper.records.size(), 1U);
  EXPECT_EQ(keeper.records[0].offset, 1012U);
  EXPECT_EQ(parser->drops(), (DropCounts{{"too_long", 1}, {"truncated", 1}}));
}

}  // namespace
}  // namespace ectoscope
