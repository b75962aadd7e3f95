#include "daemon/statement_source.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "../fake_database.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;

template <typename Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 2'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

/// Each reading is a second after the last, and each statement ran once more.
class Counting final : public Database {
 public:
  Begun begin() override {
    if (refuses) return {nullptr, {DatabaseError::Reason::kUnreachable, "away", ""}};
    ++polls;
    fake_ = FakeDatabase();
    const std::string count = std::to_string(polls.load());
    fake_.answer("pg_extension", FakeDatabase::Rows{{"1.10", "public", "7"}});
    fake_.answer("pg_database", FakeDatabase::Rows{{"5", "shop"}});
    fake_.answer("clock_timestamp", FakeDatabase::Rows{{count + "000000", "1", "1"}});
    fake_.answer("pg_stat_statements(false)",
                 FakeDatabase::Rows{{"10", "5", "-99", count, count, count, "0", "0"}});
    fake_.answer("pg_stat_statements(true)",
                 FakeDatabase::Rows{{"5", "-99", "SELECT p.id FROM posts p WHERE p.user_id = $1"}});
    return fake_.begin();
  }
  void disconnect() override {}
  void interrupt() override {}
  [[nodiscard]] std::string name() const override { return "counting"; }

  std::atomic<int> polls{0};
  std::atomic<bool> refuses{false};

 private:
  FakeDatabase fake_;
};

class StatementSourceTest : public ::testing::Test {
 protected:
  StatementSourceTest() {
    auto owned = std::make_unique<Counting>();
    database_ = owned.get();
    StatementSource::Settings settings;
    settings.server = "main";
    settings.polls.interval = 1ms;
    source_.emplace(std::move(settings), std::move(owned), queries_, HashKey{1, 2});
  }

  QueryTable queries_{100};
  Counting* database_ = nullptr;
  std::optional<StatementSource> source_;
};

TEST_F(StatementSourceTest, GivesSamplesAndTheServersOwnNumber) {
  EXPECT_FALSE(source_->tried());
  source_->start();
  std::vector<StatementPoll> polls;
  ASSERT_TRUE(soon([&] {
    for (StatementPoll& poll : source_->take())
      polls.push_back(std::move(poll));
    return polls.size() >= 3;
  }));
  EXPECT_TRUE(source_->tried());
  const StatementSample& sample = polls[0].databases.at(0).samples.at(0);
  EXPECT_EQ(sample.calls, 1U);
  EXPECT_EQ(queries_[sample.query].key_column, "user_id");
  EXPECT_EQ(source_->queryid(sample.query, "shop"), -99);
  EXPECT_EQ(source_->queryid(sample.query, "crm"), std::nullopt);
  EXPECT_TRUE(source_->state().up);
  EXPECT_EQ(source_->state().name, "pg_stat_statements");
}

TEST_F(StatementSourceTest, PollsNoFurtherWhileNobodyTakes) {
  source_->start();
  ASSERT_TRUE(soon([&] { return database_->polls >= 9; }));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(database_->polls, 9) << "the first, and eight that wait";
  EXPECT_EQ(source_->take().size(), 8U);
  EXPECT_TRUE(soon([&] { return database_->polls > 9; }));
}

TEST_F(StatementSourceTest, TellsThatTheServerIsAway) {
  database_->refuses = true;
  source_->start();
  ASSERT_TRUE(soon([&] { return source_->tried(); }));
  EXPECT_FALSE(source_->state().up);
  EXPECT_EQ(source_->state().problem, "away");
  database_->refuses = false;
  EXPECT_TRUE(soon([&] { return source_->state().up; }));
  EXPECT_EQ(source_->state().problem, "");
}

TEST_F(StatementSourceTest, StopsInTheMiddleOfWaiting) {
  database_->refuses = true;
  source_->start();
  ASSERT_TRUE(soon([&] { return source_->tried(); }));
  const auto before = std::chrono::steady_clock::now();
  source_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 500ms);
}

}  // namespace
}  // namespace ectoscope
