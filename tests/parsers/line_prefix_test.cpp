#include "parsers/line_prefix.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/parsers/log_helpers.h"

namespace ectoscope {
namespace {

struct Read {
  bool matched = false;
  KeptRecord record;
  std::string rest;
  bool short_form = false;
};

Read read(const std::string& prefix, const std::string& line, bool any_name = false) {
  StampReader stamps("UTC");
  LogRecord record;
  LineHead head;
  const LinePrefix compiled(prefix);
  const bool matched = any_name ? compiled.match_any_name(line, stamps, record, head)
                                : compiled.match(line, stamps, record, head);
  if (!matched) return {};
  return {true, keep(record), line.substr(head.length), head.short_form};
}

TEST(LinePrefix, EveryEscape) {
  const Read r = read(
      "%m %t %n [%p] %P %q%u@%d a=%a r=%r h=%h b=%b i=%i e=%e c=%c l=%l s=%s v=%v x=%x Q=%Q %% ",
      "2026-11-22 08:29:33.354 UTC 2026-11-22 08:29:33 UTC 1795336173.354 [828] 77 me@shop "
      "a=My App r=10.0.0.9(4321) h=10.0.0.9 b=client backend i=idle in transaction e=00000 "
      "c=6b02a7ed.33c l=12 s=2026-11-22 08:00:00 UTC v=12/6 x=905 Q=-5499460816676922558 % LOG:  "
      "hello");
  ASSERT_TRUE(r.matched);
  EXPECT_EQ(r.rest, "hello");
  EXPECT_EQ(r.record.at, 1795336173354000);
  EXPECT_EQ(r.record.pid, 828);
  EXPECT_EQ(r.record.user, "me");
  EXPECT_EQ(r.record.database, "shop");
  EXPECT_EQ(r.record.application, "My App");
  EXPECT_EQ(r.record.client_host, "10.0.0.9");
  EXPECT_EQ(r.record.sqlstate, "00000");
  EXPECT_EQ(r.record.session, "6b02a7ed.33c");
  EXPECT_EQ(r.record.virtual_xid, "12/6");
  EXPECT_EQ(r.record.query_id, -5499460816676922558);
  EXPECT_EQ(r.record.severity, LogSeverity::kLog);
}

TEST(LinePrefix, Matches) {
  const struct {
    const char* name;
    const char* prefix;
    const char* line;
    const char* rest;  // null: no match
  } cases[] = {
      {"Debian", "%m [%p] %q%u@%d ", "2026-11-22 08:29:33.354 UTC [8] a@b LOG:  x", "x"},
      {"no session behind it", "%m [%p] %q%u@%d ", "2026-11-22 08:29:33.354 UTC [8] LOG:  x", "x"},
      {"RDS", "%t:%r:%u@%d:[%p]:", "2026-11-22 08:29:33 UTC:10.0.0.1(5):a@b:[8]:LOG:  x", "x"},
      {"RDS, no session", "%t:%r:%u@%d:[%p]:", "2026-11-22 08:29:33 UTC::@:[8]:LOG:  x", "x"},
      {"IPv6", "%t:%r:%u@%d:[%p]:", "2026-11-22 08:29:33 UTC:2001:db8::1(5):a@b:[8]:LOG:  x", "x"},
      {"padding right", "%m [%-7p] ", "2026-11-22 08:29:33.354 UTC [8      ] LOG:  x", "x"},
      {"padding left", "%m [%7p] ", "2026-11-22 08:29:33.354 UTC [      8] LOG:  x", "x"},
      {"padding before a blank", "%m %-7p %-5u ",
       "2026-11-22 08:29:33.354 UTC 8       ab    LOG:  x", "x"},
      {"padding not needed", "%m [%-1p] ", "2026-11-22 08:29:33.354 UTC [888] LOG:  x", "x"},
      {"unknown escape prints nothing", "%m%z [%p] ", "2026-11-22 08:29:33.354 UTC [8] LOG:  x",
       "x"},
      {"empty fields", "%m [%p] %u@%d app=%a vx=%v q=%Q ",
       "2026-11-22 08:29:33.354 UTC [8] @ app= vx= q=0 LOG:  x", "x"},
      {"a name of 40 bytes", "%m [%p] %u@%d ",
       "2026-11-22 08:29:33.354 UTC [8] a_user_with_quite_a_long_name_indeed_xxx@b LOG:  x", "x"},
      {"part word", "%m [%p] ", "2026-11-22 08:29:33.354 UTC [8] DETAIL:  x", "x"},
      {"empty message", "%m [%p] ", "2026-11-22 08:29:33.354 UTC [8] LOG:  ", ""},
      {"German", "%m [%p] ", "2026-11-22 08:29:33.354 UTC [8] FEHLER:  x", "x"},
      {"French, Latin-1", "%m [%p] ", "2026-11-22 08:29:33.354 UTC [8] D\xC9TAIL:  x", "x"},
      {"text without a literal behind it", "%m %a", "2026-11-22 08:29:33.354 UTC appLOG:  x", "x"},
      {"seconds where ms are due", "%m [%p] ", "2026-11-22 08:29:33 UTC [8] LOG:  x", nullptr},
      {"ms where seconds are due", "%t [%p] ", "2026-11-22 08:29:33.354 UTC [8] LOG:  x", nullptr},
      {"no severity", "%m [%p] ", "2026-11-22 08:29:33.354 UTC [8] x", nullptr},
      {"one blank behind it", "%m [%p] ", "2026-11-22 08:29:33.354 UTC [8] LOG: x", nullptr},
      {"no pid", "%m [%p] ", "2026-11-22 08:29:33.354 UTC [] LOG:  x", nullptr},
      {"pid too large", "%m [%p] ", "2026-11-22 08:29:33.354 UTC [99999999999] LOG:  x", nullptr},
      {"blank in a name", "%m [%p] %u@%d ", "2026-11-22 08:29:33.354 UTC [8] a c@b LOG:  x",
       nullptr},
      {"another prefix", "%m [%p] %q%u@%d ",
       "2026-11-22 08:29:33.354 UTC [8] a@b app=x sess=1.2 LOG:  x", nullptr},
      {"cut in the prefix", "%m [%p] %q%u@%d ", "2026-11-22 08:29:33.354 UTC [8] a", nullptr},
      {"empty line", "%m [%p] ", "", nullptr},
  };
  for (const auto& c : cases) {
    const Read r = read(c.prefix, c.line);
    EXPECT_EQ(r.matched, c.rest != nullptr) << c.name;
    if (!r.matched || c.rest == nullptr) continue;
    EXPECT_EQ(r.rest, c.rest) << c.name;
  }
}

TEST(LinePrefix, ValuesOfPaddedAndUnknown) {
  const Read r =
      read("%m [%p] %-8u@%d ", "2026-11-22 08:29:33.354 UTC [8] ab      @[unknown] LOG:  x");
  ASSERT_TRUE(r.matched);
  EXPECT_EQ(r.record.user, "ab");
  EXPECT_EQ(r.record.database, "");
  EXPECT_FALSE(r.short_form);
  EXPECT_TRUE(read("%m [%p] %q%u@%d ", "2026-11-22 08:29:33.354 UTC [8] LOG:  x").short_form);
}

TEST(LinePrefix, NamesWithBlanksOnRequest) {
  const char* const line = "2026-11-22 08:29:33.354 UTC [8] my user@my db LOG:  x";
  EXPECT_FALSE(read("%m [%p] %u@%d ", line).matched);
  const Read r = read("%m [%p] %u@%d ", line, true);
  ASSERT_TRUE(r.matched);
  EXPECT_EQ(r.record.user, "my user");
  EXPECT_EQ(r.record.database, "my db");
}

TEST(LinePrefix, KnowsTheEndOfABrokenName) {
  const LinePrefix prefix("%m [%p] %q%u@%d app=%a ");
  StampReader stamps("UTC");
  EXPECT_TRUE(prefix.breaks_off_in_name("2026-11-22 08:29:33.354 UTC [8] z", stamps));
  EXPECT_TRUE(prefix.breaks_off_in_name("2026-11-22 08:29:33.354 UTC [8] ", stamps));
  EXPECT_FALSE(prefix.breaks_off_in_name("2026-11-22 08:29:33.354 UTC [8", stamps));
  EXPECT_FALSE(prefix.breaks_off_in_name("some other line", stamps));
  EXPECT_FALSE(
      prefix.breaks_off_in_name("2026-11-22 08:29:33.354 UTC [8] a@b app=c LOG:  x", stamps));
  EXPECT_TRUE(prefix.has_tail("forged text@shop app=x FATAL:  role", 0, 100, stamps));
  EXPECT_FALSE(prefix.has_tail("forged text@shop app=x FATAL:  role", 0, 5, stamps));
  EXPECT_FALSE(prefix.has_tail("forged text@shop app=x FATAL: role", 0, 100, stamps));
  EXPECT_FALSE(prefix.has_tail("forged text@shop ap=x FATAL:  role", 0, 100, stamps));
}

}  // namespace
}  // namespace ectoscope
