#include "daemon/index_trial.h"

#include <gmock/gmock.h>

#include "../fake_database.h"
#include "daemon/server_knowledge.h"

namespace ectoscope {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using Kind = TrialOutcome::Kind;
using Reason = DatabaseError::Reason;

Query events_query() {
  Query query;
  query.operation = Operation::kSelect;
  query.parsed = true;
  query.text =
      "SELECT e0.\"id\" FROM \"events\" AS e0 WHERE (e0.\"kind\" = $2) AND (e0.\"workspace_id\" = "
      "$1) ORDER BY e0.\"id\" LIMIT $3";
  query.canonical = query.text;
  query.tables = {"events"};
  query.predicates = {{"events", "kind", "=", 2, false, false, false},
                      {"events", "workspace_id", "=", 1, false, false, false}};
  query.has_limit = true;
  query.limit_slot = 3;
  return query;
}

IndexAdvice events_index() {
  return {"events", {"workspace_id", "id"}, {"asc", "asc"}, {}, std::nullopt};
}

constexpr const char* kCreate = "CREATE INDEX CONCURRENTLY ON events (workspace_id, id);";

TEST(TrialText, ReplacesWhatAPlannerMustKnow) {
  const Query query = events_query();
  EXPECT_EQ(trial_text(query, events_index(), "'7'"),
            "SELECT e0.\"id\" FROM \"events\" AS e0 WHERE (e0.\"kind\" = $1) AND "
            "(e0.\"workspace_id\" = '7') ORDER BY e0.\"id\" LIMIT 20");
  EXPECT_EQ(trial_text(query, events_index(), ""),
            "SELECT e0.\"id\" FROM \"events\" AS e0 WHERE (e0.\"kind\" = $1) AND "
            "(e0.\"workspace_id\" = $2) ORDER BY e0.\"id\" LIMIT 20");
}

TEST(TrialText, LeavesNamesAndListsAlone) {
  Query query = events_query();
  query.text = "SELECT \"a$1\", '$2', $10 FROM \"t\" WHERE x = ANY($1) AND y = $10 AND z = $1";
  query.limit_slot = 0;
  query.predicates = {{"events", "workspace_id", "=", 1, true, false, false}};
  EXPECT_EQ(trial_text(query, events_index(), "'7'"),
            "SELECT \"a$1\", '$2', $1 FROM \"t\" WHERE x = ANY($2) AND y = $1 AND z = $2");
}

TEST(ProbeText, AsksAsATriggerDoes) {
  EXPECT_EQ(probe_text({"order items", {"order_id"}, {"asc"}, {}, std::nullopt}, ""),
            "SELECT 1 FROM \"order items\" AS x WHERE x.\"order_id\" = $1");
  EXPECT_EQ(probe_text({"shop.items", {"a\"b", "c"}, {}, {}, std::nullopt}, "'x'"),
            "SELECT 1 FROM \"shop\".\"items\" AS x WHERE x.\"a\"\"b\" = 'x' AND x.\"c\" = $1");
  EXPECT_EQ(probe_text({"t", {"lower(email)"}, {}, {}, std::nullopt}, ""), "");
}

TEST(SingleStatement, IsOneThatReadsOrChangesRows) {
  SingleStatement parser;
  const struct {
    const char* sql;
    bool holds;
  } cases[] = {
      {"SELECT 1", true},
      {"SELECT * FROM t WHERE a = $1 FOR UPDATE;", true},
      {"DELETE FROM t WHERE a = $1", true},
      {"SELECT 1; DROP TABLE t", false},
      {"SELECT 1; SELECT 2", false},
      {"DROP TABLE t", false},
      {"EXPLAIN ANALYZE DELETE FROM t", false},
      {"CREATE TABLE t AS SELECT 1", false},
      {"COPY t TO PROGRAM 'rm -rf /'", false},
      {"DO $$ BEGIN END $$", false},
      {"CALL p()", false},
      {"SET a = 1", false},
      {"not SQL", false},
      {"", false},
      {"-- nothing", false},
  };
  for (const auto& it : cases)
    EXPECT_EQ(parser.holds(it.sql), it.holds) << it.sql;
  EXPECT_FALSE(parser.holds("SELECT " + std::string(100'000, ' ') + "1"));
  EXPECT_FALSE(parser.holds(std::string("SELECT 1\0; DROP TABLE t", 23)));
}

class IndexTrialTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_.answer("current_setting('auto_explain", FakeDatabase::Rows{{"100ms"}});
    database_.answer("has_parameter_privilege", FakeDatabase::Rows{{"t"}});
    database_.answer("extname = 'hypopg'", FakeDatabase::Rows{{"ext"}});
    database_.answer("hypopg_create_index", FakeDatabase::Rows{{"<1>btree_events"}});
    database_.answer("pg_prepared_statements", FakeDatabase::Rows{{"2"}});
    plan(100, 40, true);
  }

  /// EXPLAIN says the one, and once there is an index the other.
  void plan(double before, double after, bool chosen) {
    before_ = before;
    after_ = after;
    chosen_ = chosen;
  }

  TrialOutcome run() {
    // The answers alternate: without the index, then with it.
    class Alternating final : public Database {
     public:
      explicit Alternating(IndexTrialTest& test) : test_(test) {}
      Begun begin() override { return {std::make_unique<Asked>(test_), {}}; }
      void disconnect() override { test_.database_.disconnect(); }
      void interrupt() override {}
      [[nodiscard]] std::string name() const override { return "x"; }

     private:
      class Asked final : public ReadTransaction {
       public:
        explicit Asked(IndexTrialTest& test)
            : test_(test), inner_(test.database_.begin().transaction) {}
        std::optional<DatabaseError> run(std::string_view sql,
                                         std::span<const std::string> parameters,
                                         const DatabaseRowHandler& on_row) override {
          if (sql.find("hypopg_create_index") != std::string_view::npos) indexed_ = true;
          if (sql.find("hypopg_reset") != std::string_view::npos) indexed_ = false;
          auto error = inner_->run(sql, parameters, on_row);
          if (error || !sql.starts_with("EXPLAIN")) return error;
          const std::string cost = std::to_string(indexed_ ? test_.after_ : test_.before_);
          const std::string name = indexed_ && test_.chosen_ ? "<1>btree_events" : "events_pkey";
          const std::string plan = "[{\"Plan\": {\"Total Cost\": " + cost +
                                   ", \"Plans\": [{\"Total Cost\": 1.00, \"Index Name\": \"" +
                                   name + "\"}]}}]";
          const std::vector<std::optional<std::string_view>> row = {plan};
          on_row(row);
          return std::nullopt;
        }
        std::optional<DatabaseError> stream(std::string_view, const DatabaseRowHandler&) override {
          return std::nullopt;
        }

       private:
        IndexTrialTest& test_;
        std::unique_ptr<ReadTransaction> inner_;
        bool indexed_ = false;
      };
      IndexTrialTest& test_;
    };
    Alternating database(*this);
    auto outcome = try_index(database, {&query_, events_index(), kCreate, trigger_}, parser_);
    if (auto* error = std::get_if<DatabaseError>(&outcome)) {
      ADD_FAILURE() << error->message;
      return {};
    }
    return std::get<TrialOutcome>(outcome);
  }

  FakeDatabase database_;
  SingleStatement parser_;
  Query query_ = events_query();
  bool trigger_ = false;
  double before_ = 0;
  double after_ = 0;
  bool chosen_ = false;
};

TEST_F(IndexTrialTest, VerifiesWhatThePlannerTakesAtHalfTheCost) {
  const struct {
    double after;
    bool chosen;
    Kind kind;
  } cases[] = {
      {40, true, Kind::kVerified},
      {50, true, Kind::kVerified},
      {51, true, Kind::kNotBetter},
      {40, false, Kind::kNotBetter},
  };
  for (const auto& it : cases) {
    plan(100, it.after, it.chosen);
    const TrialOutcome outcome = run();
    EXPECT_EQ(outcome.kind, it.kind) << it.after;
    const bool verified = it.kind == Kind::kVerified;
    EXPECT_EQ(outcome.verification.by,
              verified ? Verification::By::kHypopg : Verification::By::kNone);
    EXPECT_EQ(outcome.verification.cost_before, verified ? 100 : 0);
    EXPECT_EQ(outcome.verification.cost_after, verified ? it.after : 0);
    EXPECT_EQ(database_.disconnected(), 0);
    const char* const why = verified    ? ""
                            : it.chosen ? "the planner takes it, but the statement's cost only "
                                          "falls from 100 to 51: look for what else it waits for"
                                        : "the planner would not take it";
    EXPECT_EQ(outcome.why, why);
  }
}

TEST_F(IndexTrialTest, KeepsTheOrderThatHypopgNeeds) {
  run();
  std::vector<std::string> kinds;
  for (const std::string& asked : database_.asked())
    kinds.push_back(asked.substr(0, asked.find(' ', asked.find(' ') + 1)));
  const std::vector<std::string> expected = {
      "SELECT current_setting('auto_explain.log_min_duration',",
      "SELECT CASE",
      "SET LOCAL",
      "SELECT quote_ident(n.nspname)",
      "SET LOCAL",
      {"SELECT quote_literal(coalesce((s.histogram_bounds::text::text[])[cardinality(s.histogram_"
       "bounds::text::text[])"},
      "PREPARE ectoscope_trial",
      "SELECT cardinality(parameter_types)",
      "EXPLAIN (FORMAT",
      "DEALLOCATE ectoscope_trial",
      "SELECT indexname",
      "PREPARE ectoscope_trial",
      "SELECT cardinality(parameter_types)",
      "EXPLAIN (FORMAT",
      "DEALLOCATE ectoscope_trial",
      "SELECT ext.hypopg_reset()"};
  EXPECT_EQ(kinds, expected);
  EXPECT_THAT(database_.asked(), Each(Not(HasSubstr("ANALYZE"))));
  EXPECT_THAT(database_.asked(),
              Contains("EXPLAIN (FORMAT JSON) EXECUTE ectoscope_trial(NULL, NULL)"));
  EXPECT_THAT(database_.asked(), Contains("SET LOCAL plan_cache_mode = force_generic_plan"));
}

TEST_F(IndexTrialTest, TriesAValueThatIsRareFirst) {
  database_.answer("histogram_bounds", FakeDatabase::Rows{{"'42'"}});
  EXPECT_EQ(run().kind, Kind::kVerified);
  EXPECT_THAT(database_.asked(), Contains(HasSubstr("\"workspace_id\" = '42'")));
  EXPECT_THAT(database_.asked(), Each(Not(HasSubstr("\"workspace_id\" = $"))));
}

TEST_F(IndexTrialTest, ATriggerIsAskedAbout) {
  trigger_ = true;
  query_.operation = Operation::kDelete;
  query_.text = "DELETE FROM posts WHERE id = $1";
  EXPECT_EQ(run().kind, Kind::kVerified);
  EXPECT_THAT(database_.asked(), Contains(HasSubstr("SELECT 1 FROM \"events\" AS x WHERE")));
  EXPECT_THAT(database_.asked(), Each(Not(HasSubstr("DELETE"))));
}

TEST_F(IndexTrialTest, SaysWhatStandsInTheWay) {
  const struct {
    const char* part;
    FakeDatabase::Answer answer;
    const char* why;
  } cases[] = {
      {"extname = 'hypopg'", {}, "HypoPG is not installed"},
      {"has_parameter_privilege", {{{"f"}}, {}}, "GRANT SET ON PARAMETER"},
      {"PREPARE", {{}, DatabaseError{Reason::kPrivilege, "m", "42501"}}, "GRANT SELECT"},
      {"PREPARE", {{}, DatabaseError{Reason::kMissing, "secret 'x'", "42P01"}}, "not in this"},
      {"EXPLAIN", {{}, DatabaseError{Reason::kTimeout, "m", "57014"}}, "too long"},
      {"EXPLAIN", {{}, DatabaseError{Reason::kOther, "syntax 'x'", "42601"}}, "by itself"},
  };
  for (const auto& it : cases) {
    database_ = FakeDatabase();
    SetUp();
    database_.answer(it.part, it.answer);
    const TrialOutcome outcome = run();
    EXPECT_EQ(outcome.kind, Kind::kNotTried);
    EXPECT_THAT(outcome.why, HasSubstr(it.why));
    EXPECT_THAT(outcome.why, Not(HasSubstr("'x'"))) << "a server's error may hold a value";
    EXPECT_EQ(database_.disconnected(), 1) << "nothing may be left in the session";
  }
}

TEST_F(IndexTrialTest, SendsNothingThatIsNotOneStatement) {
  query_.text = "SELECT 1; DROP TABLE events";
  EXPECT_EQ(run().kind, Kind::kNotTried);
  EXPECT_THAT(database_.asked(), Each(Not(HasSubstr("DROP"))));
  EXPECT_THAT(database_.asked(), Each(Not(HasSubstr("PREPARE"))));
}

}  // namespace
}  // namespace ectoscope
