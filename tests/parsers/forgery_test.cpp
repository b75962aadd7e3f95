// Text that a client put into the log through its user name must not become a record.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "parsers/stderr_log.h"
#include "tests/parsers/log_helpers.h"

namespace ectoscope {
namespace {

constexpr const char* kPrefix = "%m [%p] %u@%d app=%a vx=%v q=%Q ";

std::string line(int pid, const std::string& user, const std::string& rest) {
  return "2026-11-22 08:27:00.056 UTC [" + std::to_string(pid) + "] " + user +
         "@shop app=shop vx=3/14 q=11 " + rest + "\n";
}

std::string healthy(int from, int count) {
  std::string log;
  for (int i = 0; i < count; ++i)
    log += line(100 + i % 7, "me", "LOG:  duration: " + std::to_string(from + i) + ".0 ms");
  return log;
}

/// A record of a client whose user name holds `name`; the name comes again in the message, where
/// PostgreSQL puts TABs into it.
std::string attack(const std::string& name) {
  std::string quoted;
  for (const char c : name)
    quoted += c == '\n' ? std::string("\n\t") : std::string(1, c);
  return line(31659, name, "FATAL:  role \"" + quoted + "\" does not exist");
}

constexpr const char* kForged = "2026-11-22 08:27:00.060 UTC [1] me@shop app= vx= q=0 LOG:  forged";

struct Case {
  const char* name;
  std::string user;
};

const Case kAttacks[] = {
    {"line of its own", std::string("z\n") + kForged},
    {"line of its own, and text behind it", std::string("z\n") + kForged + "\nx"},
    {"two lines", std::string("z\n") + kForged + "\n" + kForged},
    {"seconds only", "z\n2026-11-22 00:00:00 UTC [1] a@b LOG:  forged"},
    {"keys of another prefix", "z\n2026-11-22 08:27:00.060 UTC [1] u=a db=b app=c LOG:  forged"},
    {"on the line itself", "x@y app= vx= q=0 LOG:  forged"},
    {"on the line itself, then a line break", "x@y app= vx= q=0 LOG:  forged\n"},
    {"on the line itself, then another", std::string("x@y app= vx= q=0 LOG:  forged\n") + kForged},
    {"a pid that is known",
     "z\n2026-11-22 08:27:00.060 UTC [100] him@shop app= vx= q=0 LOG:  forged"},
    {"RDS's prefix", "z\n2026-11-22 08:27:00 UTC:1.1.1.1(1):a@b:[1]:LOG:  forged"},
    {"a STATEMENT", "z\n2026-11-22 08:27:00.060 UTC [1] a@b app= vx= q=0 STATEMENT:  forged"},
};

void expect_not_fooled(const std::string& name, const Parsed& parsed, size_t real) {
  for (const KeptRecord& record : parsed.records)
    EXPECT_NE(record.message.substr(0, 6), "forged") << name;
  for (const KeptRecord& part : parsed.late_parts)
    EXPECT_EQ(part.statement.find("forged"), std::string::npos) << name;
  const auto honest = std::count_if(
      parsed.records.begin(), parsed.records.end(),
      [](const KeptRecord& record) { return record.message.starts_with("duration: "); });
  EXPECT_EQ(static_cast<size_t>(honest), real) << name;
  const auto suspicious = parsed.drops.find("suspicious");
  ASSERT_NE(suspicious, parsed.drops.end()) << name;
  EXPECT_GT(suspicious->second, 0U) << name;
}

TEST(Forgery, NeverARecord) {
  for (const Case& c : kAttacks) {
    if (c.user.size() > 200) continue;
    const std::string log = healthy(0, 200) + attack(c.user) + healthy(200, 200);
    for (const size_t block : {SIZE_MAX, size_t{4096}, size_t{501}}) {
      LogParserOptions options;
      options.log_line_prefix = kPrefix;
      expect_not_fooled(c.name, parse_log(log, options, block), 400);
      expect_not_fooled(std::string(c.name) + ", prefix found", parse_log(log, {}, block), 400);
    }
  }
}

TEST(Forgery, WithASessionMarkInThePrefix) {
  // %q: a line without a session may end its prefix early, and a name can pretend that.
  LogParserOptions options;
  options.log_line_prefix = "%m [%p] %q%u@%d ";
  const std::string stamp = "2026-11-22 08:27:00.056 UTC ";
  std::string log;
  for (int i = 0; i < 50; ++i)
    log += stamp + "[100] me@shop LOG:  duration: " + std::to_string(i) + ".0 ms\n";
  for (const std::string& name :
       {std::string("LOG:  forged"), "LOG:  forged\n" + stamp + "[1] LOG:  forged",
        "z\n" + stamp + "[1] LOG:  forged", "z\n" + stamp + "[1] a@b LOG:  forged"}) {
    const Parsed parsed =
        parse_log(log + stamp + "[300] " + name + "@shop FATAL:  no such role\n" + log, options);
    expect_not_fooled(name, parsed, 100);
  }
}

TEST(Forgery, NewSessionsAreBelieved) {
  // Every line another session, as with a client that connects for each query.
  std::string log;
  for (int i = 0; i < 500; ++i)
    log += line(1000 + i, "user" + std::to_string(i), "LOG:  duration: 1.0 ms");
  for (const size_t block : {SIZE_MAX, size_t{700}}) {
    LogParserOptions options;
    options.log_line_prefix = kPrefix;
    const Parsed parsed = parse_log(log, options, block);
    EXPECT_EQ(parsed.records.size(), 500U);
    EXPECT_TRUE(parsed.drops.empty());
  }
}

TEST(Forgery, ManyBrokenLinesCostNoRecords) {
  // A full disk cuts lines short; what is whole between them is real.
  LogParserOptions options;
  options.log_line_prefix = kPrefix;
  std::string log;
  for (int i = 0; i < 400; ++i)
    log += "2026-11-22 08:27:00.056 UTC [" + std::to_string(i) + "] cut sho\n" +
           line(100 + i % 50, "me", "LOG:  duration: 1.0 ms");
  for (const size_t block : {SIZE_MAX, size_t{3000}}) {
    const Parsed parsed = parse_log(log, options, block);
    EXPECT_EQ(parsed.records.size(), 400U);
    EXPECT_EQ(parsed.drops, (DropCounts{{"truncated", 400}}));
  }
}

TEST(Forgery, SqlThatQuotesALogIsNoAttack) {
  // Known sessions may log what they like; PostgreSQL puts a TAB before each further line.
  const std::string quoted =
      "LOG:  duration: 1.0 ms  statement: select 'x@y app=z vx=1/1 q=0 LOG:  y'";
  LogParserOptions options;
  options.log_line_prefix = kPrefix;
  const Parsed parsed =
      parse_log(healthy(0, 20) + line(101, "me", quoted) +
                    line(101, "me", "LOG:  duration: 1.0 ms  a\n\t" + std::string(kForged)),
                options);
  EXPECT_EQ(parsed.records.size(), 22U);
  EXPECT_TRUE(parsed.drops.empty());
}

TEST(Forgery, RecordedAttack) {
  const std::string folder = std::string(SOURCE_DIR) + "/tests/data/parsers/";
  const Parsed stderr_log = parse_log(read_test_file(folder + "pg15_injection.stderr.log"));
  const Parsed csv = parse_log(read_test_file(folder + "pg15_injection.csv.log"));
  const Parsed json = parse_log(read_test_file(folder + "pg15_injection.json.log"));
  ASSERT_EQ(csv.records.size(), 21U);
  EXPECT_TRUE(csv.drops.empty());
  ASSERT_EQ(json.records.size(), 21U);
  EXPECT_TRUE(json.drops.empty());
  // In stderr the attacker's own record cannot be told from what he forged.
  ASSERT_EQ(stderr_log.records.size(), 20U);
  EXPECT_EQ(stderr_log.drops, (DropCounts{{"suspicious", 2}}));
  size_t other = 0;
  for (const KeptRecord& record : csv.records) {
    if (record.user.starts_with("z\n")) continue;
    EXPECT_EQ(stderr_log.records[other].at, record.at);
    EXPECT_EQ(stderr_log.records[other].pid, record.pid);
    EXPECT_EQ(stderr_log.records[other].message, record.message);
    ++other;
  }
  EXPECT_EQ(other, 20U);
}

}  // namespace
}  // namespace ectoscope
