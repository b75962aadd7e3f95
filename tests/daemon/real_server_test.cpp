// What is asked of a server, asked of a real one: tests/cli/real_server_test.py starts it and names
// it in the environment.  Skipped without.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>

#include "daemon/catalog_reader.h"
#include "daemon/index_trial.h"
#include "daemon/server_facts.h"
#include "daemon/server_knowledge.h"
#include "ingest/statement_poller.h"
#include "parsers/sql_shapes.h"
#include "platform/postgres.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Reason = DatabaseError::Reason;

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? std::string() : value;
}

class RealServer : public ::testing::Test {
 protected:
  void SetUp() override {
    dsn_ = environment("ECTOSCOPE_TEST_DSN");
    if (dsn_.empty()) GTEST_SKIP() << "tests/cli/real_server_test.py starts a server and runs this";
    settings_.dsn = dsn_;
    database_ = make_postgres(settings_);
  }

  /// An application's connection.
  static std::unique_ptr<Database> application() {
    PostgresSettings settings;
    settings.dsn = environment("ECTOSCOPE_TEST_APPLICATION_DSN");
    return make_postgres(settings);
  }

  std::vector<std::string> ask(std::string_view sql, const std::vector<std::string>& values = {}) {
    auto begun = database_->begin();
    EXPECT_TRUE(begun.transaction) << begun.error.message;
    std::vector<std::string> fields;
    const auto error = begun.transaction->run(sql, values, [&fields](DatabaseRow row) {
      for (const auto& field : row)
        fields.emplace_back(field.value_or("NULL"));
    });
    EXPECT_FALSE(error) << error->message;
    return fields;
  }

  DatabaseError refused(std::string_view sql) {
    auto begun = database_->begin();
    if (!begun.transaction) return begun.error;
    const auto error = begun.transaction->run(sql);
    return error ? *error : DatabaseError{Reason::kOther, "it was done", "00000"};
  }

  std::string dsn_;
  PostgresSettings settings_;
  std::unique_ptr<Database> database_;
};

TEST_F(RealServer, AnswersInText) {
  EXPECT_THAT(ask("SELECT $1::text, NULL, 1.5, true", {"it's \"so\""}),
              ElementsAre("it's \"so\"", "NULL", "1.5", "t"));
  EXPECT_THAT(
      ask("SELECT current_setting('application_name'),"
          " current_setting('transaction_read_only'), current_setting('statement_timeout')"),
      ElementsAre("ectoscope", "on", "10s"));
  EXPECT_EQ(ask("SELECT generate_series(1, 100000)").size(), 100'000U);
}

TEST_F(RealServer, StreamsTheSameRows) {
  auto begun = database_->begin();
  ASSERT_TRUE(begun.transaction);
  std::vector<std::vector<std::string>> rows;
  const auto error = begun.transaction->stream(
      "SELECT i, CASE i WHEN 2 THEN NULL ELSE E'a\\tb\\\\c\\nd' END FROM generate_series(1, 2) i",
      [&rows](DatabaseRow row) {
        rows.push_back(
            {std::string(row[0].value_or("NULL")), std::string(row[1].value_or("NULL"))});
      });
  EXPECT_FALSE(error);
  EXPECT_THAT(rows, ElementsAre(ElementsAre("1", "a\tb\\c\nd"), ElementsAre("2", "NULL")));
  // More rows than are fetched at a time, and as many.
  for (const int count : {2'500, 2'000, 0}) {
    int64_t sum = 0;
    EXPECT_FALSE(
        begun.transaction->stream("SELECT 1 FROM generate_series(1, " + std::to_string(count) + ")",
                                  [&sum](DatabaseRow row) { sum += row[0] == "1" ? 1 : 0; }));
    EXPECT_EQ(sum, count);
  }
  const auto missing = begun.transaction->stream("SELECT 1 FROM nowhere", [](DatabaseRow) {});
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->reason, Reason::kMissing);
}

TEST_F(RealServer, ErrorsQuoteNothingOfTheStatement) {
  const DatabaseError error = refused("SELECT 'secret' FROM nowhere");
  EXPECT_THAT(error.message, HasSubstr(": relation \"nowhere\" does not exist"));
  EXPECT_THAT(error.message, Not(HasSubstr("secret")));
}

TEST_F(RealServer, NeitherWritesNorTakesTwoStatements) {
  EXPECT_EQ(refused("CREATE TABLE x (id int)").sqlstate, "25006");
  EXPECT_EQ(refused("SELECT 1; SELECT 2").sqlstate, "42601");
  EXPECT_EQ(refused("SELECT 1 FROM nowhere").reason, Reason::kMissing);
  EXPECT_EQ(refused("SELECT id FROM secrets").reason, Reason::kPrivilege);
  EXPECT_THAT(ask("SELECT 1"), ElementsAre("1")) << "the connection serves on";
}

TEST_F(RealServer, EndsInTime) {
  settings_.statement_timeout = 200ms;
  database_ = make_postgres(settings_);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(refused("SELECT pg_sleep(30)").reason, Reason::kTimeout);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
}

TEST_F(RealServer, IsInterruptedFromAnotherThread) {
  const std::jthread other([this] {
    std::this_thread::sleep_for(100ms);
    database_->interrupt();
  });
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(refused("SELECT pg_sleep(9)").reason, Reason::kLost);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  EXPECT_EQ(database_->begin().error.reason, Reason::kUnreachable);
}

class FrozenServer : public RealServer {
 protected:
  void SetUp() override {
    RealServer::SetUp();
    if (IsSkipped()) return;
    settings_.statement_timeout = 100ms;
    database_ = make_postgres(settings_);
    const auto answer = ask("SELECT pg_backend_pid()");
    ASSERT_EQ(answer.size(), 1U);
    backend_ = std::stoi(answer[0]);
    ASSERT_EQ(::kill(backend_, SIGSTOP), 0);
  }
  void TearDown() override {
    if (backend_ != 0) ::kill(backend_, SIGCONT);
  }

  pid_t backend_ = 0;
};

// The kernel keeps a stopped process's connection alive, and statement_timeout is the process's
// own.
TEST_F(FrozenServer, IsLeftInTime) {
  EXPECT_EQ(refused("SELECT 1").reason, Reason::kTimeout);
  EXPECT_THAT(ask("SELECT 1"), ElementsAre("1")) << "another backend answers";
}

TEST_F(FrozenServer, IsLeftOnInterrupt) {
  const std::jthread other([this] {
    std::this_thread::sleep_for(50ms);
    database_->interrupt();
  });
  const DatabaseError error = refused("SELECT 1");
  EXPECT_EQ(error.reason, Reason::kLost);
  EXPECT_THAT(error.message, HasSubstr("interrupted"));
}

TEST_F(RealServer, ALostConnectionIsToldBeforeAnother) {
  const std::string backend = ask("SELECT pg_backend_pid()").at(0);
  const auto own = make_postgres(settings_);
  ASSERT_TRUE(own->begin().transaction->run("SELECT pg_terminate_backend(" + backend + ", 5000)") ==
              std::nullopt);
  const auto begun = database_->begin();
  EXPECT_FALSE(begun.transaction);
  EXPECT_EQ(begun.error.reason, Reason::kLost);
  EXPECT_THAT(ask("SELECT pg_backend_pid()"), Not(ElementsAre(backend)));
}

TEST_F(RealServer, CatalogSaysWhatExists) {
  const auto read = read_catalog(*database_);
  ASSERT_TRUE(std::holds_alternative<Catalog>(read)) << std::get<DatabaseError>(read).message;
  const auto& catalog = std::get<Catalog>(read);
  const CatalogTable* posts = catalog.table("posts");
  ASSERT_NE(posts, nullptr);
  EXPECT_EQ(posts->rows, 20'000);
  EXPECT_GT(posts->bytes, 100'000U);
  EXPECT_EQ(posts->columns.at("title").type, "character varying(255)");
  EXPECT_NEAR(posts->columns.at("user_id").distinct.value_or(0), 200, 20);
  EXPECT_NEAR(posts->columns.at("id").distinct.value_or(0), 20'000, 1);
  const auto described = [](const CatalogIndex& index) {
    std::string text = index.name + " " + index.method + (index.unique ? " unique" : "") + ":";
    for (size_t i = 0; i < index.columns.size(); ++i)
      text += " " + index.columns[i] + (index.descending[i] ? " desc" : "");
    for (const std::string& column : index.include)
      text += " +" + column;
    return index.where.empty() ? text : text + " where " + index.where;
  };
  std::vector<std::string> indexes;
  for (const CatalogIndex& index : posts->indexes)
    indexes.push_back(described(index));
  EXPECT_THAT(indexes, ElementsAre("posts_lower_index btree: lower(title::text)",
                                   "posts_pkey btree unique: id",
                                   "posts_user_index btree: user_id inserted_at desc +title where "
                                   "deleted_at IS NULL"));
  EXPECT_NE(catalog.table("tenant.posts"), nullptr) << "not in the search path";
  EXPECT_EQ(catalog.table("pg_class"), nullptr);
  ASSERT_EQ(catalog.foreign_keys.size(), 1U);
  const CatalogForeignKey& key = catalog.foreign_keys[0];
  EXPECT_EQ(key.constraint, "comments_post_id_fkey");
  EXPECT_EQ(key.table, "comments");
  EXPECT_THAT(key.columns, ElementsAre("post_id"));
  EXPECT_EQ(key.referenced_table, "posts");
  EXPECT_THAT(key.referenced_columns, ElementsAre("id"));
}

class RealTrial : public RealServer {
 protected:
  TrialOutcome run(const std::string& sql, const IndexAdvice& index, bool trigger = false) {
    const Query& query = queries_[shapes_.resolve(sql).query];
    std::string create = "CREATE INDEX CONCURRENTLY ON " + index.table + " (";
    for (const std::string& column : index.columns)
      create += (create.ends_with("(") ? "" : ", ") + column;
    auto outcome = try_index(*database_, {&query, index, create + ");", trigger}, parser_);
    if (auto* error = std::get_if<DatabaseError>(&outcome)) {
      ADD_FAILURE() << error->message;
      return {};
    }
    return std::get<TrialOutcome>(outcome);
  }
  static IndexAdvice on(std::string table, std::vector<std::string> columns) {
    return {std::move(table), std::move(columns), {}, {}, std::nullopt};
  }

  QueryTable queries_{100};
  Routes routes_{1};
  SqlShapes shapes_{queries_, routes_, HashKey{1, 2}};
  SingleStatement parser_;
};

// An index by date, an order by id and few rows that match: the story that the product came from.
constexpr const char* kEvents =
    "SELECT e0.\"id\", e0.\"payload\" FROM \"events\" AS e0 WHERE (e0.\"workspace_id\" = $1) ORDER "
    "BY "
    "e0.\"id\" LIMIT 50";

TEST_F(RealTrial, VerifiesTheRightIndexAndNotTheOther) {
  const TrialOutcome right = run(kEvents, on("events", {"workspace_id", "id"}));
  ASSERT_EQ(right.kind, TrialOutcome::Kind::kVerified) << right.why;
  EXPECT_EQ(right.verification.by, Verification::By::kHypopg);
  EXPECT_GT(right.verification.cost_before, 1'000);
  EXPECT_LT(right.verification.cost_after, 0.5 * right.verification.cost_before);
  EXPECT_EQ(run(kEvents, on("events", {"payload"})).kind, TrialOutcome::Kind::kNotBetter);
  EXPECT_EQ(run(kEvents, on("events", {"id"})).kind, TrialOutcome::Kind::kNotBetter);
  EXPECT_THAT(ask("SELECT count(*) FROM hypopg()"), ElementsAre("0"));
  EXPECT_THAT(ask("SELECT count(*) FROM pg_prepared_statements"), ElementsAre("0"));
}

TEST_F(RealTrial, WritesAndTriggersAreProbed) {
  EXPECT_EQ(run("DELETE FROM posts WHERE id = $1", on("comments", {"post_id"}), true).kind,
            TrialOutcome::Kind::kVerified);
  EXPECT_EQ(
      run("UPDATE comments SET body = $1 WHERE post_id = $2", on("comments", {"post_id"})).kind,
      TrialOutcome::Kind::kVerified);
}

TEST_F(RealTrial, ExpressionsAreTried) {
  EXPECT_EQ(run("SELECT c0.id FROM comments AS c0 WHERE (lower(c0.body) = $1)",
                on("comments", {"lower(body)"}))
                .kind,
            TrialOutcome::Kind::kVerified);
}

TEST_F(RealTrial, WhatCannotBeAskedIsSaidAndLeavesNothing) {
  const struct {
    const char* sql;
    IndexAdvice index;
    const char* why;
  } cases[] = {
      {"SELECT id FROM secrets WHERE owner = $1", on("secrets", {"owner"}), "GRANT SELECT"},
      {"SELECT id FROM absent WHERE owner = $1", on("absent", {"owner"}), "not in this database"},
      {"SELECT c0.id FROM comments AS c0 WHERE c0.body ILIKE $1",
       on("comments", {"body gin_trgm_ops) USING gin (body"}), "by itself"},
  };
  for (const auto& it : cases) {
    const TrialOutcome outcome = run(it.sql, it.index);
    EXPECT_EQ(outcome.kind, TrialOutcome::Kind::kNotTried) << it.sql;
    EXPECT_THAT(outcome.why, HasSubstr(it.why)) << it.sql;
    EXPECT_THAT(ask("SELECT count(*) FROM hypopg()"), ElementsAre("0"));
  }
}

TEST_F(RealTrial, HostileTextIsNeverSent) {
  for (const char* sql :
       {"SELECT 1; DROP TABLE posts", "DROP TABLE posts", "SELECT 1 FROM posts; DELETE FROM posts",
        "EXPLAIN ANALYZE DELETE FROM posts", "DO $$ BEGIN DELETE FROM posts; END $$"}) {
    EXPECT_NE(run(sql, on("posts", {"user_id"})).kind, TrialOutcome::Kind::kVerified) << sql;
  }
  const Query& query = queries_[shapes_.resolve(kEvents).query];
  const auto outcome =
      try_index(*database_,
                {&query, on("events", {"workspace_id"}),
                 "CREATE INDEX ON events (id); DROP TABLE posts; SELECT pg_sleep(1)", false},
                parser_);
  EXPECT_TRUE(std::holds_alternative<TrialOutcome>(outcome));
  EXPECT_THAT(ask("SELECT count(*) FROM posts"), ElementsAre("20000"));
}

TEST_F(RealServer, PollsCountEachRunOnce) {
  QueryTable queries(1'000);
  Routes routes(1);
  SqlShapes shapes(queries, routes, HashKey{1, 2});
  StatementPoller poller(*database_,
                         [&shapes](std::string_view sql) { return shapes.resolve(sql).query; });
  ASSERT_TRUE(poller.poll().up);
  const auto shop = application();
  const auto run = [&shop](int times) {
    for (int i = 0; i < times; ++i) {
      auto begun = shop->begin();
      ASSERT_TRUE(begun.transaction) << begun.error.message;
      const std::vector<std::string> values = {std::to_string(i)};
      begun.transaction->run(
          "SELECT p0.\"id\" FROM \"posts\" AS p0 WHERE (p0.\"user_id\" = $1)/*traceparent='x'*/",
          values, [](DatabaseRow) {});
    }
  };
  const auto counted = [&](const StatementPoll& poll) {
    uint64_t calls = 0;
    for (const DatabaseSamples& samples : poll.databases) {
      for (const StatementSample& sample : samples.samples) {
        const Query& query = queries[sample.query];
        if (query.key_column == "user_id" && samples.database == "shop") calls += sample.calls;
        EXPECT_EQ(query.text.find("traceparent"), std::string::npos);
      }
    }
    return calls;
  };
  run(30);
  const StatementPoll first = poller.poll();
  EXPECT_TRUE(first.up) << first.problem;
  EXPECT_EQ(counted(first), 30U);
  // The log's shape and the counters' are one.
  const auto same =
      shapes.resolve("SELECT p0.\"id\" FROM \"posts\" AS p0 WHERE (p0.\"user_id\" = $1)").query;
  const auto& samples = first.databases.at(0).samples;
  const auto found = std::find_if(samples.begin(), samples.end(),
                                  [&](const auto& sample) { return sample.query == same; });
  ASSERT_NE(found, samples.end());
  EXPECT_NE(found->queryid, 0);
  run(7);
  EXPECT_EQ(counted(poller.poll()), 7U);
  EXPECT_EQ(counted(poller.poll()), 0U);
}

}  // namespace
}  // namespace ectoscope
