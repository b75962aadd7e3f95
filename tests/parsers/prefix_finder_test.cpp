#include "parsers/prefix_finder.h"

#include <string>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

struct Session {
  const char* user;
  const char* database;
  const char* app;
  const char* host;
  int pid;
};

constexpr Session kSessions[] = {{"shop", "shop_prod", "shop", "10.0.0.7", 4101},
                                 {"ops", "postgres", "psql", "10.0.0.9", 4177},
                                 {"[unknown]", "[unknown]", "[unknown]", "10.0.0.8", 4200},
                                 {"shop", "shop_prod", "My App 2", "[local]", 4300}};

/// The prefix as PostgreSQL would print it.
// One case a letter.  NOLINTNEXTLINE(readability-function-size)
std::string print(const std::string& prefix, int line, const Session* session) {
  std::string out;
  for (size_t i = 0; i < prefix.size(); ++i) {
    if (prefix[i] != '%') {
      out += prefix[i];
      continue;
    }
    const std::string second = std::to_string(10 + line % 50);
    const bool known = session != nullptr;
    const std::string host = known ? session->host : "";
    switch (prefix[++i]) {
      case 'm':
        out += "2026-11-22 08:29:" + second + ".354 UTC";
        break;
      case 't':
        out += "2026-11-22 08:29:" + second + " UTC";
        break;
      case 'n':
        out += "17953361" + second + ".354";
        break;
      case 's':
        out += "2026-11-22 08:00:00 UTC";
        break;
      case 'p':
        out += std::to_string(known ? session->pid : 900);
        break;
      case 'u':
        out += known ? session->user : "";
        break;
      case 'd':
        out += known ? session->database : "";
        break;
      case 'a':
        out += known ? session->app : "";
        break;
      case 'h':
        out += host;
        break;
      case 'r':
        out += host.empty() || host[0] == '[' ? host : host + "(5432" + second + ")";
        break;
      case 'c':
        out += "6b02a7ed.33" + std::to_string(known ? 1 : 2);
        break;
      case 'l':
        out += std::to_string(line);
        break;
      case 'v':
        out += known ? "12/" + std::to_string(line) : "";
        break;
      case 'x':
        out += "0";
        break;
      case 'e':
        out += "00000";
        break;
      case 'Q':
        out += known ? "-54994608166769" + second : "0";
        break;
      case 'i':
        out += known ? "SELECT" : "";
        break;
      case 'q':
        if (!known) return out;
        break;
      case '%':
        out += '%';
        break;
      default:
        break;
    }
  }
  return out;
}

std::string sample(const std::string& prefix, int lines, bool background = true) {
  std::string text;
  for (int line = 1; line <= lines; ++line) {
    const bool has_session = !background || line % 5 != 0;
    text += print(prefix, line, has_session ? &kSessions[line % 4] : nullptr);
    text += has_session ? "LOG:  duration: 0.1 ms  execute <unnamed>: SELECT 1\n"
                        : "LOG:  checkpoint starting: time\n";
    if (line % 3 == 0) text += "\t, more\n";
  }
  return text;
}

TEST(PrefixFinder, FindsPrefixes) {
  const struct {
    const char* printed;
    const char* found;  // null: as printed
  } cases[] = {
      {"%m [%p] ", nullptr},
      {"%m [%p] %q%u@%d ", nullptr},
      {"%m [%p] %q%u@%d/%a ", nullptr},
      {"%m [%p] %q%u@%d app=%a sess=%c line=%l vxid=%v xid=%x qid=%Q ", nullptr},
      {"%m [%p] %u@%d app=%a vx=%v q=%Q ", nullptr},
      {"%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
       "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%r "},
      {"%m [%p]: [%l-1] db=%d,user=%u,app=%a,client=%r ", nullptr},
      {"%t:%r:%u@%d:[%p]:", nullptr},
      {"%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:", "%m:%r:%u@%d:[%p]:%x:%e:%s:%v:%l:%c:%q%a:"},
      {"%n [%p] %q%u@%d ", nullptr},
      {"< %m %p %u@%d > ", nullptr},
      {"%m [%p] %c [%u] %d %r ", "%m [%p] %c [%u] %d %r "},
      {"pid=%p,user=%u,db=%d,time=%m ", nullptr},
      {"%c %m %e [%p] ", nullptr},
      {"db-host-1 %m [%p] %q%u@%d ", nullptr},
      {"%m postgres[%p]: %q%u@%d ", nullptr},
      {"100%% %m [%p] %q%u@%d ", nullptr},
      {"%m|%u|%d|%p|", nullptr},
  };
  for (const auto& c : cases) {
    StampReader stamps("UTC");
    const auto found = find_prefixes(sample(c.printed, 60), stamps);
    ASSERT_FALSE(found.empty()) << c.printed;
    EXPECT_EQ(found[0].text, c.found == nullptr ? c.printed : c.found);
    EXPECT_GE(found[0].lines, 48U) << c.printed;
  }
}

TEST(PrefixFinder, TwoPrefixesInOneSample) {
  StampReader stamps("UTC");
  const std::string first = "%m [%p] %u@%d app=%a sess=%c ";
  const auto found =
      find_prefixes(sample(first, 1, false) + sample("%m [%p] %q%u@%d ", 50), stamps);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].text, "%m [%p] %q%u@%d ");
  EXPECT_EQ(found[0].lines, 50U);
  EXPECT_EQ(found[1].text, first);
  EXPECT_EQ(found[1].lines, 1U);
  EXPECT_EQ(found[1].keyed, 2U);
}

TEST(PrefixFinder, NoneInWhatIsNoLog) {
  StampReader stamps("UTC");
  for (const char* text : {"", "\n\n", "hello\nworld\n", "LOG:  no stamp\nLOG:  none\n",
                           "2026-11-22 08:29:33.354 UTC no severity\n",
                           "2026-11-22 08:29:33.354 UTC [1] LOG:  no line break"})
    EXPECT_TRUE(find_prefixes(text, stamps).empty()) << text;
}

}  // namespace
}  // namespace ectoscope
