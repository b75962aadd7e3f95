#include "daemon/own_log.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fake_clock.h"

namespace ectoscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Micros kSecond{1'000'000};

struct Written {
  FakeClock clock;
  std::vector<std::string> lines;

  OwnLog log(OwnLog::Format format, LogLevel least = LogLevel::kInfo) {
    return {clock, format, least, [this](std::string_view line) { lines.emplace_back(line); }};
  }
};

TEST(OwnLog, LogfmtQuotesWhatIsNoWord) {
  Written written;
  OwnLog log = written.log(OwnLog::Format::kLogfmt);
  log.warn("a log cannot be read", {{"path", "/var/log/a b"}, {"server", "main"}, {"why", ""}});
  const std::string stamp = format_rfc3339(written.clock.wall());
  EXPECT_THAT(written.lines,
              ElementsAre("ts=" + stamp + " level=warn msg=\"a log cannot be read\"" +
                          " path=\"/var/log/a b\" server=main why=\"\"\n"));
}

TEST(OwnLog, JsonSaysTheSame) {
  Written written;
  OwnLog log = written.log(OwnLog::Format::kJson);
  log.error("not all is stored", {{"problem", "no space"}});
  ASSERT_THAT(written.lines, SizeIs(1));
  const auto json = nlohmann::json::parse(written.lines[0]);
  EXPECT_EQ(json["ts"], format_rfc3339(written.clock.wall()));
  EXPECT_EQ(json["level"], "error");
  EXPECT_EQ(json["msg"], "not all is stored");
  EXPECT_EQ(json["problem"], "no space");
}

TEST(OwnLog, WhatIsNoUtf8IsReplaced) {
  Written written;
  OwnLog log = written.log(OwnLog::Format::kJson);
  log.info("started", {{"path", "/tmp/\xFFgr\xC3\xBC\xC3"}});
  ASSERT_THAT(written.lines, SizeIs(1));
  EXPECT_EQ(nlohmann::json::parse(written.lines[0])["path"],
            "/tmp/\xEF\xBF\xBDgr\xC3\xBC\xEF\xBF\xBD");
}

TEST(OwnLog, AnEventIsOneLineWhateverItsFieldsHold) {
  const std::string hostile = "a\"b\\c\nlevel=error\r\x1b[31m\x7f\tend";
  for (const auto format : {OwnLog::Format::kLogfmt, OwnLog::Format::kJson}) {
    Written written;
    OwnLog log = written.log(format);
    log.info("started", {{"path", hostile}});
    ASSERT_THAT(written.lines, SizeIs(1));
    const std::string& line = written.lines[0];
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    for (const char c : {'\r', '\x1b', '\x7f', '\t'})
      EXPECT_EQ(line.find(c), std::string::npos) << line;
    // Its quoted part is JSON's in both formats.
    const std::string quoted =
        line.substr(line.find(format == OwnLog::Format::kJson ? "\"path\":" : "path=") +
                    (format == OwnLog::Format::kJson ? 7 : 5));
    const size_t length = quoted.rfind('"') + 1;
    EXPECT_EQ(nlohmann::json::parse(quoted.substr(0, length)), hostile);
  }
}

TEST(OwnLog, WhatIsLessThanItsLevelIsNotWritten) {
  Written written;
  OwnLog log = written.log(OwnLog::Format::kLogfmt, LogLevel::kWarn);
  log.info("ready");
  EXPECT_THAT(written.lines, IsEmpty());
  log.warn("late");
  EXPECT_THAT(written.lines, SizeIs(1));
}

TEST(OwnLog, RepeatsAreCountedForTenSeconds) {
  Written written;
  OwnLog log = written.log(OwnLog::Format::kLogfmt);
  for (int i = 0; i < 100; ++i)
    log.warn("a log cannot be read", {{"path", "a"}});
  log.warn("a log cannot be read", {{"path", "b"}});
  ASSERT_THAT(written.lines, SizeIs(2)) << "another subject is another event";
  written.clock.advance(10 * kSecond);
  log.warn("a log cannot be read", {{"path", "a"}});
  ASSERT_THAT(written.lines, SizeIs(3));
  EXPECT_THAT(written.lines[2], ::testing::HasSubstr(" repeated=99\n"));
  written.clock.advance(10 * kSecond);
  log.warn("a log cannot be read", {{"path", "a"}});
  EXPECT_THAT(written.lines[3], ::testing::Not(::testing::HasSubstr("repeated")));
}

}  // namespace
}  // namespace ectoscope
