#include "ingest/statement_poller.h"

#include <gmock/gmock.h>

#include "../fake_database.h"

namespace ectoscope {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Reason = DatabaseError::Reason;
using Row = std::vector<FakeDatabase::Field>;

/// userid, dbid, queryid, calls, rows, total µs, blocks read, temporary blocks written
Row statement(const std::string& queryid, const std::string& calls,
              const std::string& database = "5", const std::string& user = "10") {
  return {user, database, queryid, calls, calls, "2000", "1", "0"};
}

class StatementPollerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    version("1.10");
    reading(10'000'000);
    database_.answer("FROM pg_catalog.pg_database",
                     FakeDatabase::Rows{{"5", "shop"}, {"6", "crm"}});
    database_.answer("pg_stat_statements(true)", FakeDatabase::Rows{{"5", "1", "SELECT one"},
                                                                    {"6", "1", "SELECT other"},
                                                                    {"5", "2", "SELECT two"}});
  }

  void version(const std::string& text) {
    database_.answer("FROM pg_catalog.pg_extension", FakeDatabase::Rows{{text, "public", "777"}});
  }
  void reading(int64_t now, int64_t reset = 1'000) {
    database_.answer("clock_timestamp",
                     FakeDatabase::Rows{{std::to_string(now), "500", std::to_string(reset)}});
  }
  void statements(FakeDatabase::Rows rows) {
    database_.answer("pg_stat_statements(false)", std::move(rows));
  }

  FakeDatabase database_;
  std::map<std::string, QueryId> shapes_ = {
      {"SELECT one", 1}, {"SELECT two", 2}, {"SELECT other", 1}};
  std::vector<std::string> resolved_;
  StatementPollerSettings settings_;
  StatementPoller poller_{database_, [this](std::string_view sql) {
                            resolved_.emplace_back(sql);
                            return shapes_[std::string(sql)];
                          }};
};

TEST_F(StatementPollerTest, TellsWhatRanBetweenTwoPolls) {
  statements({statement("1", "100"), statement("1", "7", "6")});
  StatementPoll first = poller_.poll();
  EXPECT_TRUE(first.up);
  EXPECT_EQ(first.problem, "");
  EXPECT_TRUE(first.databases.empty());
  EXPECT_EQ(first.next, std::chrono::seconds(30));

  reading(40'000'000);
  statements({statement("1", "130"), statement("1", "9", "6"), statement("2", "4")});
  const StatementPoll second = poller_.poll();
  ASSERT_EQ(second.databases.size(), 2U);
  EXPECT_EQ(second.databases[0].database, "crm");
  EXPECT_EQ(second.databases[1].database, "shop");
  ASSERT_EQ(second.databases[1].samples.size(), 2U);
  const StatementSample& sample = second.databases[1].samples[0];
  EXPECT_EQ(sample.query, 1U);
  EXPECT_EQ(sample.queryid, 1);
  EXPECT_EQ(sample.database, 5U);
  EXPECT_EQ(sample.calls, 30U);
  EXPECT_EQ(sample.from, EventTime(Micros(10'000'000)));
  EXPECT_EQ(sample.to, EventTime(Micros(40'000'000)));
  EXPECT_EQ(second.databases[1].samples[1].calls, 4U);
  EXPECT_EQ(second.databases[0].samples[0].calls, 2U);
}

TEST_F(StatementPollerTest, TextsAreFetchedOnceAndOnlyForWhatRan) {
  statements({statement("1", "1"), statement("2", "1")});
  poller_.poll();
  EXPECT_THAT(resolved_, ElementsAre());
  reading(20'000'000);
  statements({statement("1", "2"), statement("2", "1")});
  poller_.poll();
  EXPECT_THAT(resolved_, ElementsAre("SELECT one"));
  reading(30'000'000);
  statements({statement("1", "3"), statement("2", "1")});
  EXPECT_EQ(poller_.poll().databases.size(), 1U);
  EXPECT_THAT(resolved_, ElementsAre("SELECT one"));
  EXPECT_THAT(database_.asked(), Contains(HasSubstr("queryid = ANY ('{1}'")));
}

TEST_F(StatementPollerTest, UsersOfOneShapeAreOneSample) {
  statements({});
  poller_.poll();
  reading(20'000'000);
  statements({statement("1", "3", "5", "10"), statement("1", "4", "5", "11")});
  const StatementPoll poll = poller_.poll();
  ASSERT_EQ(poll.databases.size(), 1U);
  ASSERT_EQ(poll.databases[0].samples.size(), 1U);
  EXPECT_EQ(poll.databases[0].samples[0].calls, 7U);
  EXPECT_EQ(poll.databases[0].samples[0].total_time, Micros(4'000));
}

TEST_F(StatementPollerTest, OwnRoleAndNestedStatementsAreLeftOut) {
  poller_.poll();
  EXPECT_THAT(database_.asked(), Contains(HasSubstr("userid <> 777 AND toplevel")));
}

TEST_F(StatementPollerTest, ColumnsFollowTheExtensionsVersion) {
  const struct {
    const char* version;
    const char* has;
    const char* lacks;
  } cases[] = {
      {"1.7", "total_time * 1000", "toplevel"},
      {"1.8", "total_exec_time", "toplevel"},
      {"1.8", "clock_timestamp", "info"},
      {"1.9", "toplevel", "stats_since"},
      {"1.9", "public.pg_stat_statements_info", "-"},
      {"1.10", "toplevel", "stats_since"},
      {"1.11", "stats_since", "shared_blk_"},
      {"1.12", "stats_since", "shared_blk_"},
  };
  for (const auto& it : cases) {
    FakeDatabase database;
    database.answer("FROM pg_catalog.pg_extension",
                    FakeDatabase::Rows{{it.version, "public", "777"}});
    database.answer("clock_timestamp", FakeDatabase::Rows{{"10", "5", std::nullopt}});
    StatementPoller poller(database, [](std::string_view) { return kNoQuery; });
    EXPECT_TRUE(poller.poll().up) << it.version;
    EXPECT_THAT(database.asked(), Contains(HasSubstr(it.has))) << it.version;
    EXPECT_THAT(database.asked(), Each(Not(HasSubstr(it.lacks)))) << it.version;
  }
}

TEST_F(StatementPollerTest, ServerThatIsAwayIsTriedWithBackOff) {
  statements({statement("1", "100")});
  poller_.poll();
  database_.refuse(DatabaseError{Reason::kUnreachable, "cannot connect to x: refused", ""});
  std::vector<int64_t> waits;
  for (int i = 0; i < 9; ++i) {
    const StatementPoll poll = poller_.poll();
    EXPECT_FALSE(poll.up);
    EXPECT_EQ(poll.problem, "cannot connect to x: refused");
    waits.push_back(poll.next.count());
  }
  EXPECT_THAT(waits, ElementsAre(1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000));
  database_.refuse(std::nullopt);
  reading(50'000'000);
  statements({statement("1", "104")});
  const StatementPoll back = poller_.poll();
  EXPECT_TRUE(back.up);
  EXPECT_EQ(back.problem, "");
  EXPECT_EQ(back.next, std::chrono::seconds(30));
  ASSERT_EQ(back.databases.size(), 1U);
  EXPECT_EQ(back.databases[0].samples[0].calls, 4U);
}

TEST_F(StatementPollerTest, PollThatBreaksInTheMiddleCountsForNothing) {
  statements({statement("1", "100")});
  poller_.poll();
  database_.answer("pg_stat_statements(false)",
                   FakeDatabase::Answer{{statement("1", "110")},
                                        DatabaseError{Reason::kLost, "the connection broke", ""}});
  EXPECT_FALSE(poller_.poll().up);
  reading(50'000'000);
  statements({statement("1", "115")});
  const StatementPoll poll = poller_.poll();
  ASSERT_EQ(poll.databases.size(), 1U);
  EXPECT_EQ(poll.databases[0].samples[0].calls, 15U);
}

TEST_F(StatementPollerTest, ResetWhileReadingBelongsToNeitherSide) {
  // The reading differs before and after the rows: the rows are not used.
  int readings = 0;
  class Counting final : public ReadTransaction {
   public:
    Counting(int& readings, int64_t* calls) : readings_(readings), calls_(calls) {}
    std::optional<DatabaseError> run(std::string_view sql, std::span<const std::string>,
                                     const DatabaseRowHandler& on_row) override {
      const auto give = [&on_row](const std::vector<std::string>& fields) {
        const std::vector<std::optional<std::string_view>> row(fields.begin(), fields.end());
        on_row(row);
      };
      if (sql.find("pg_extension") != std::string_view::npos) give({"1.10", "public", "777"});
      if (sql.find("pg_database") != std::string_view::npos) give({"5", "shop"});
      if (sql.find("clock_timestamp") != std::string_view::npos) {
        ++readings_;
        // The fourth reading, after the rows of the second poll, sees a reset.
        give({std::to_string(readings_ * 1'000'000), "1", readings_ >= 4 ? "3500000" : "2"});
      }
      return std::nullopt;
    }
    std::optional<DatabaseError> stream(std::string_view sql,
                                        const DatabaseRowHandler& on_row) override {
      const bool texts = sql.find("(true)") != std::string_view::npos;
      const std::string calls = std::to_string(*calls_);
      const std::vector<std::string> fields =
          texts ? std::vector<std::string>{"5", "1", "SELECT one"}
                : std::vector<std::string>{"10", "5", "1", calls, calls, calls, "0", "0"};
      const std::vector<std::optional<std::string_view>> row(fields.begin(), fields.end());
      on_row(row);
      return std::nullopt;
    }

   private:
    int& readings_;
    int64_t* calls_;
  };
  class Server final : public Database {
   public:
    Server(int& readings, int64_t& calls) : readings_(readings), calls_(calls) {}
    Begun begin() override { return {std::make_unique<Counting>(readings_, &calls_), {}}; }
    void disconnect() override {}
    void interrupt() override {}
    [[nodiscard]] std::string name() const override { return "x"; }

   private:
    int& readings_;
    int64_t& calls_;
  };
  int64_t calls = 100;
  Server server(readings, calls);
  StatementPoller poller(server, [](std::string_view) { return QueryId{1}; });
  poller.poll();
  calls = 3;  // NOLINT(clang-analyzer-deadcode.DeadStores): the server reads it; reset just before
              // the rows were read
  const StatementPoll torn = poller.poll();
  EXPECT_TRUE(torn.up);
  EXPECT_TRUE(torn.databases.empty());
  calls = 8;  // NOLINT(clang-analyzer-deadcode.DeadStores)
  const StatementPoll next = poller.poll();
  ASSERT_EQ(next.databases.size(), 1U);
  EXPECT_EQ(next.databases[0].samples[0].calls, 8U);
}

TEST_F(StatementPollerTest, WhatIsMissingIsSaid) {
  const struct {
    const char* part;
    FakeDatabase::Answer answer;
    const char* said;
  } cases[] = {
      {"pg_extension", {{}, {}}, "CREATE EXTENSION pg_stat_statements"},
      {"pg_extension", {{{"1.3", "public", "7"}}, {}}, "ALTER EXTENSION pg_stat_statements UPDATE"},
      {"pg_extension", {{{"nonsense", "public", "7"}}, {}}, "ALTER EXTENSION"},
      {"pg_stat_statements(false)",
       {{}, DatabaseError{Reason::kMissing, "must be loaded", "55000"}},
       "shared_preload_libraries"},
  };
  for (const auto& it : cases) {
    FakeDatabase database;
    database.answer("pg_extension", FakeDatabase::Rows{{"1.10", "public", "777"}});
    database.answer(it.part, it.answer);
    StatementPoller poller(database, [](std::string_view) { return kNoQuery; });
    const StatementPoll poll = poller.poll();
    EXPECT_FALSE(poll.up);
    EXPECT_THAT(poll.problem, HasSubstr(it.said));
  }
}

TEST_F(StatementPollerTest, HiddenStatementsAreCountedAndTold) {
  statements({{"10", "5", std::nullopt, "4", "4", "1", "0", "0"}, statement("1", "5")});
  const StatementPoll poll = poller_.poll();
  EXPECT_TRUE(poll.up);
  EXPECT_THAT(poll.problem, HasSubstr("GRANT pg_read_all_stats"));
  EXPECT_EQ(poll.dropped.at("hidden"), 1U);
}

TEST_F(StatementPollerTest, BoundsAreKeptAndCounted) {
  StatementPollerSettings settings;
  settings.max_statements = 3;
  settings.max_text_bytes = 10;
  StatementPoller poller(
      database_, [](std::string_view) { return QueryId{1}; }, settings);
  FakeDatabase::Rows rows;
  for (int i = 1; i <= 5; ++i)
    rows.push_back(statement(std::to_string(i), "1"));
  statements(rows);
  EXPECT_EQ(poller.poll().dropped.at("statements_full"), 2U);
  EXPECT_EQ(poller.statements(), 3U);
  reading(20'000'000);
  statements({statement("1", "2"), statement("2", "2"), statement("3", "2")});
  database_.answer("pg_stat_statements(true)",
                   FakeDatabase::Rows{{"5", "1", "SELECT 1"}, {"5", "2", "SELECT 2, too long"}});
  const StatementPoll poll = poller.poll();
  EXPECT_EQ(poll.dropped.at("no_text"), 2U);
  ASSERT_EQ(poll.databases.size(), 1U);
  EXPECT_EQ(poll.databases[0].samples[0].calls, 1U);
}

TEST_F(StatementPollerTest, FullTableOfShapesIsCounted) {
  statements({});
  poller_.poll();
  reading(20'000'000);
  shapes_["SELECT two"] = kNoQuery;
  statements(
      {statement("1", "2"), statement("2", "2"), statement("9", "1"), statement("1", "1", "99")});
  database_.answer("pg_stat_statements(true)", FakeDatabase::Rows{{"5", "1", "SELECT one"},
                                                                  {"5", "2", "SELECT two"},
                                                                  {"99", "1", "SELECT one"}});
  const StatementPoll poll = poller_.poll();
  EXPECT_EQ(poll.dropped.at("shapes_full"), 1U);
  EXPECT_EQ(poll.dropped.at("no_text"), 1U);
  EXPECT_EQ(poll.dropped.at("no_database"), 1U);
  ASSERT_EQ(poll.databases.size(), 1U);
  EXPECT_EQ(poll.databases[0].samples.size(), 1U);
}

}  // namespace
}  // namespace ectoscope
