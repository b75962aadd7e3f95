#include "daemon/server_knowledge.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "core/plan.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A server whose planner finds a statement cheaper by what the latest hypothetical index costs.
struct Server {
  std::mutex mutex;
  std::condition_variable interrupted;
  std::map<std::string, double> costs;  // with an index whose SQL has this in it
  bool away = false;
  std::string closed;  // a database that lets nobody in
  bool hangs = false;  // until it is interrupted
  std::vector<std::string> asked;
  std::vector<std::string> databases;  // connected to

  size_t times(const std::string& part) {
    const std::lock_guard lock(mutex);
    return static_cast<size_t>(std::count_if(asked.begin(), asked.end(), [&](const auto& sql) {
      return sql.find(part) != std::string::npos;
    }));
  }
};

class Connection final : public Database {
 public:
  Connection(Server& server, const std::string& database)
      : server_(server), closed_(database == server.closed) {}

  Begun begin() override {
    const std::lock_guard lock(server_.mutex);
    if (server_.away || closed_)
      return {nullptr, {DatabaseError::Reason::kUnreachable, "nobody there", ""}};
    return {std::make_unique<Transaction>(*this), {}};
  }
  void disconnect() override {}
  void interrupt() override {
    const std::lock_guard lock(server_.mutex);
    interrupted_ = true;
    server_.interrupted.notify_all();
  }
  [[nodiscard]] std::string name() const override { return "server"; }

 private:
  class Transaction final : public ReadTransaction {
   public:
    explicit Transaction(Connection& connection) : connection_(connection) {}

    std::optional<DatabaseError> run(std::string_view sql, std::span<const std::string> parameters,
                                     const DatabaseRowHandler& on_row) override {
      Server& server = connection_.server_;
      std::unique_lock lock(server.mutex);
      server.asked.emplace_back(sql);
      if (server.hangs) {
        server.interrupted.wait(lock, [&] { return connection_.interrupted_; });
        return DatabaseError{DatabaseError::Reason::kLost, "interrupted", ""};
      }
      const std::string answer = answer_to(sql, parameters);
      lock.unlock();
      const std::vector<std::optional<std::string_view>> row = {answer};
      if (!answer.empty()) on_row(row);
      return std::nullopt;
    }
    std::optional<DatabaseError> stream(std::string_view select,
                                        const DatabaseRowHandler& on_row) override {
      return run(select, {}, on_row);
    }

   private:
    std::string answer_to(std::string_view sql, std::span<const std::string> parameters) {
      const auto asks = [&](std::string_view part) {
        return sql.find(part) != std::string_view::npos;
      };
      if (asks("extname = 'hypopg'")) return "ext";
      if (asks("has_parameter_privilege")) return "t";
      if (asks("pg_prepared_statements")) return "1";
      if (asks("hypopg_reset")) cost_ = kWithout;
      if (asks("hypopg_create_index")) {
        for (const auto& [part, cost] : connection_.server_.costs)
          if (parameters[0].find(part) != std::string::npos) cost_ = cost;
        return "<1>index";
      }
      if (!sql.starts_with("EXPLAIN")) return "";
      return "[{\"Plan\": {\"Total Cost\": " + std::to_string(cost_) + ", \"Index Name\": \"" +
             (cost_ < kWithout ? "<1>index" : "none") + "\"}}]";
    }

    static constexpr double kWithout = 1000;
    Connection& connection_;
    double cost_ = kWithout;
  };

  Server& server_;
  const bool closed_;
  bool interrupted_ = false;
};

class ServerKnowledgeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    query_.operation = Operation::kSelect;
    query_.parsed = true;
    query_.text = query_.canonical = "SELECT 1 FROM events WHERE workspace_id = $1";
    query_.tables = {"events"};
    worst_.table = "events";
    worst_.plan = std::make_shared<const Plan>();
    indexes_ = {index("likely"), index("other")};
  }

  static IndexAdvice index(const std::string& column) {
    return {"events", {column}, {"asc"}, {}, std::nullopt};
  }
  static std::string sql_of(const IndexAdvice& index) {
    return "CREATE INDEX ON events (" + index.columns[0] + ")";
  }

  void make(KnowledgeSettings settings = {}) {
    Advisers advisers;
    advisers.advise = [this](const AdviceRequest& request, const Catalog* catalog) {
      Fix fix;
      fix.advice = catalog == nullptr ? "By the log." : "By the catalog.";
      if (indexes_.empty()) return fix;
      fix.index = request.worst->index ? *request.worst->index : indexes_[0];
      fix.sql = sql_of(*fix.index) + more_;
      return fix;
    };
    advisers.candidates = [this](const AdviceRequest&, const Catalog*) { return indexes_; };
    advisers.create_sql = &sql_of;
    knowledge_ = std::make_unique<ServerKnowledge>(
        [this](const std::string& database) {
          const std::lock_guard lock(server_.mutex);
          server_.databases.push_back(database);
          return std::make_unique<Connection>(server_, database);
        },
        advisers, settings);
  }

  Fix ask(const std::string& database = "shop") {
    return knowledge_->advise({"wrong_index", remedy_, &query_, nullptr, &worst_}, database);
  }

  static void wait_until(const std::function<bool()>& holds) {
    for (int i = 0; i < 6000 && !holds(); ++i)
      std::this_thread::sleep_for(5ms);
    EXPECT_TRUE(holds());
  }

  /// What is said once the server has told all that it was asked.
  Fix settled() {
    Fix fix = ask();
    wait_until([this] { return knowledge_->idle(); });
    ask();
    wait_until([this] { return knowledge_->idle(); });
    return ask();
  }

  Server server_;  // outlives what asks it
  Query query_;
  Observation worst_;
  std::vector<IndexAdvice> indexes_;
  Remedy remedy_ = Remedy::kAddIndex;
  std::string more_;
  std::unique_ptr<ServerKnowledge> knowledge_;
};

TEST_F(ServerKnowledgeTest, AnswersAtOnceAndBetterWhenTheServerHasSpoken) {
  server_.costs = {{"likely", 100}};
  make();
  const Fix first = ask();
  EXPECT_EQ(first.advice, "By the log.");
  EXPECT_FALSE(first.verified.has_value());
  const Fix fix = settled();
  EXPECT_EQ(fix.advice, "By the catalog.");
  ASSERT_TRUE(fix.verified.has_value());
  EXPECT_EQ(fix.verified->by, Verification::By::kHypopg);
  EXPECT_EQ(fix.verified->cost_before, 1000);
  EXPECT_EQ(fix.verified->cost_after, 100);
  EXPECT_EQ(fix.sql, "CREATE INDEX ON events (likely)");
  EXPECT_GE(knowledge_->news(), 2U);
  EXPECT_EQ(knowledge_->problem(), "");
}

TEST_F(ServerKnowledgeTest, TakesTheCandidateThatThePlannerLikesBest) {
  server_.costs = {{"likely", 100}, {"other", 20}};
  make();
  const Fix fix = settled();
  EXPECT_EQ(fix.sql, "CREATE INDEX ON events (other)");
  EXPECT_EQ(fix.verified->cost_after, 20);
}

TEST_F(ServerKnowledgeTest, AnExpressionIsTriedByItself) {
  server_.costs = {{"likely", 100}, {"other", 20}};
  remedy_ = Remedy::kExpressionIndex;
  make();
  const Fix fix = settled();
  EXPECT_EQ(fix.sql, "CREATE INDEX ON events (likely)");
  EXPECT_EQ(fix.verified->cost_after, 100) << "not what another index comes to";
}

TEST_F(ServerKnowledgeTest, WhatHypopgDoesNotKnowIsNotTried) {
  for (const char* more : {" USING gin", " (title text_pattern_ops)"}) {
    more_ = more;
    make();
    const Fix fix = settled();
    EXPECT_EQ(fix.advice, "By the catalog.");
    EXPECT_FALSE(fix.verified.has_value());
  }
}

TEST_F(ServerKnowledgeTest, KeepsTheLikelierOneOfTwoThatAreAsGood) {
  server_.costs = {{"likely", 100}, {"other", 96}};
  make();
  EXPECT_EQ(settled().sql, "CREATE INDEX ON events (likely)");
}

TEST_F(ServerKnowledgeTest, SaysWhatThePlannerDoesNotTake) {
  make();
  const Fix fix = settled();
  EXPECT_THAT(fix.advice, HasSubstr("By the catalog. HypoPG: "));
  EXPECT_FALSE(fix.verified.has_value());
}

TEST_F(ServerKnowledgeTest, AsksOnceAndAgainWhenTheAnswerIsOld) {
  make();
  settled();
  const size_t trials = server_.times("hypopg_create_index");
  EXPECT_GT(trials, 0U);
  EXPECT_EQ(server_.times("pg_constraint"), 1U);
  settled();
  EXPECT_EQ(server_.times("hypopg_create_index"), trials);
  EXPECT_EQ(server_.times("pg_constraint"), 1U);

  make({.catalog_age = 0ms, .trial_age = 0ms});
  settled();
  settled();
  EXPECT_GT(server_.times("pg_constraint"), 2U);
  EXPECT_GT(server_.times("hypopg_create_index"), 2 * trials);
}

TEST_F(ServerKnowledgeTest, LeavesTheServerAloneWhereNoIndexMends) {
  make();
  worst_.plan = nullptr;
  indexes_.clear();
  EXPECT_EQ(ask().advice, "By the log.");
  EXPECT_TRUE(knowledge_->idle());
  EXPECT_THAT(server_.databases, IsEmpty());
}

TEST_F(ServerKnowledgeTest, WithoutHypopgTheCatalogIsAllItKnows) {
  make({.hypopg = false});
  const Fix fix = settled();
  EXPECT_EQ(fix.advice, "By the catalog.");
  EXPECT_FALSE(fix.verified.has_value());
  EXPECT_EQ(server_.times("hypopg"), 0U);
}

TEST_F(ServerKnowledgeTest, EachDatabaseIsAskedByAConnectionOfItsOwn) {
  make({.hypopg = false});
  ask("shop");
  ask("crm");
  wait_until([this] { return knowledge_->idle(); });
  const std::lock_guard lock(server_.mutex);
  EXPECT_THAT(server_.databases, ::testing::UnorderedElementsAre("shop", "crm"));
}

TEST_F(ServerKnowledgeTest, AServerThatIsAwayIsToldOfAndTriedAgain) {
  server_.away = true;
  make({.first_backoff = 1ms, .max_backoff = 4ms});
  EXPECT_EQ(ask().advice, "By the log.");
  wait_until([this] { return knowledge_->problem() == "nobody there"; });
  {
    const std::lock_guard lock(server_.mutex);
    server_.away = false;
  }
  wait_until([this] { return knowledge_->idle() && knowledge_->problem().empty(); });
  EXPECT_EQ(ask().advice.rfind("By the catalog.", 0), 0U);
}

TEST_F(ServerKnowledgeTest, ADatabaseThatLetsNobodyInKeepsNoOtherFromBeingAsked) {
  server_.closed = "a";
  make({.hypopg = false, .first_backoff = 1ms, .max_backoff = 4ms});
  ask("a");
  wait_until([this] { return knowledge_->problem() == "nobody there"; });
  ask("b");
  wait_until([this] { return ask("b").advice == "By the catalog."; });
  EXPECT_FALSE(knowledge_->idle()) << "the other is tried again and again";
}

TEST_F(ServerKnowledgeTest, EndsInTheMiddleOfAQuestion) {
  server_.hangs = true;
  make();
  ask();
  wait_until([this] { return server_.times("") > 0; });
  knowledge_.reset();  // would hang for good
}

TEST_F(ServerKnowledgeTest, NothingThatIsNoSingleStatementIsSent) {
  query_.text = query_.canonical = "SELECT 1; DROP TABLE events";
  make();
  EXPECT_THAT(settled().advice, HasSubstr("HypoPG: "));
  EXPECT_THAT(server_.asked, Each(::testing::Not(HasSubstr("DROP"))));
}

}  // namespace
}  // namespace ectoscope
