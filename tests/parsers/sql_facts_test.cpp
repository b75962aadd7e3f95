// What a shape knows of its statement.
#include <fstream>
#include <sstream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/parsers/sql_fixture.h"

namespace ectoscope {
namespace {

using testing::ElementsAre;

struct Case {
  const char* sql;
  const char* facts;
};

void check(std::initializer_list<Case> cases) {
  SqlFixture sql;
  for (const Case& one : cases) {
    EXPECT_EQ(describe(sql.query(one.sql)), one.facts) << one.sql;
  }
}

TEST(SqlFacts, Keys) {
  check({
      {R"(SELECT p0."id" FROM "posts" AS p0 WHERE (p0."user_id" = $1))",
       "SELECT posts; one posts.user_id 1; posts.user_id = 1"},
      {R"(SELECT p0."id" FROM "posts" AS p0 WHERE (p0."user_id" = ANY($1)) ORDER BY p0."user_id")",
       "SELECT posts; list posts.user_id 1; posts.user_id = 1 list; by posts.user_id"},
      {"SELECT * FROM posts WHERE id IN (1, 2, 3)",
       "SELECT posts; list posts.id 1; posts.id = 1 list"},
      {"SELECT * FROM posts WHERE id = ANY(ARRAY[$1, $2])",
       "SELECT posts; list posts.id 1; posts.id = 1 list"},
      {"SELECT * FROM posts WHERE id = 5", "SELECT posts; one posts.id 1; posts.id = 1"},
      {"SELECT * FROM posts WHERE 5 = id", "SELECT posts; one posts.id 1; posts.id = 1"},
      {"SELECT * FROM posts WHERE id = $1::bigint", "SELECT posts; one posts.id 1; posts.id = 1"},
      // The column that says whose data it is gives way to another id, and to a preload's list.
      {"SELECT * FROM posts WHERE tenant_id = $1 AND user_id = $2",
       "SELECT posts; one posts.user_id 2; posts.tenant_id = 1; posts.user_id = 2"},
      {"SELECT * FROM posts WHERE tenant_id = $1 AND user_id = ANY($2)",
       "SELECT posts; list posts.user_id 2; posts.tenant_id = 1; posts.user_id = 2 list"},
      {"SELECT * FROM posts WHERE tenant_id = $1",
       "SELECT posts; one posts.tenant_id 1; posts.tenant_id = 1"},
      // A list that filters is not the key.
      {"SELECT * FROM posts WHERE user_id = $1 AND status IN ('a', 'b')",
       "SELECT posts; one posts.user_id 1; posts.user_id = 1; posts.status = 2 list"},
      {"SELECT * FROM users WHERE email = $1 AND active = TRUE",
       "SELECT users; one users.email 1; users.email = 1; users.active ="},
      {"SELECT * FROM users WHERE lower(email) = $1",
       "SELECT users; one users.email 1; users.email = 1 wrapped"},
      {"SELECT * FROM pages WHERE slug = $1 AND locale = $2",
       "SELECT pages; pages.slug = 1; pages.locale = 2"},
      {R"(SELECT * FROM "Users" WHERE "userId" = $1)",
       "SELECT Users; one Users.userId 1; Users.userId = 1"},
      {"SELECT * FROM posts WHERE id = $1 OR user_id = $2", "SELECT posts"},
      {"SELECT * FROM posts WHERE NOT (id = $1)", "SELECT posts"},
      {"SELECT * FROM posts WHERE id <> $1", "SELECT posts; posts.id <> 1"},
  });
}

TEST(SqlFacts, Comparisons) {
  check({
      {"SELECT * FROM t WHERE a > $1 AND b <= 5", "SELECT t; t.a > 1; t.b <= 2; range"},
      {"SELECT * FROM t WHERE 5 > a", "SELECT t; t.a < 1; range"},
      {"SELECT * FROM t WHERE a BETWEEN $1 AND $2", "SELECT t; t.a BETWEEN 1; range"},
      {"SELECT * FROM t WHERE a LIKE '%x' AND b NOT ILIKE $1",
       "SELECT t; t.a LIKE 2; t.b NOT ILIKE 1"},
      {"SELECT * FROM t WHERE a IS NULL AND b IS NOT NULL AND c AND NOT d AND e IS TRUE",
       "SELECT t; t.a IS NULL; t.b IS NOT NULL; t.c IS TRUE; t.d IS FALSE; t.e IS TRUE"},
      {"SELECT * FROM t WHERE a != $1 AND b <> ALL($2)", "SELECT t; t.a <> 1; t.b <> 2 list"},
      {"SELECT * FROM t WHERE (a, b) > ($1, $2)", "SELECT t; t.a > 1; range"},
      {"SELECT * FROM t WHERE (a_id, b_id) = ($1, $2)",
       "SELECT t; one t.a_id 1; t.a_id = 1; t.b_id = 2"},
      {"SELECT * FROM t WHERE a::text = $1", "SELECT t; one t.a 1; t.a = 1 wrapped"},
      {"SELECT * FROM t WHERE at > now() - $1::interval", "SELECT t; t.at >; range"},
      {"SELECT * FROM t WHERE data->>'k' = $1", "SELECT t; one t.data 1; t.data = 1 wrapped"},
      {"SELECT * FROM t WHERE a = -5 AND b = 4 - 5", "SELECT t; one t.a 1; t.a = 1; t.b ="},
      {"SELECT * FROM t WHERE id IN (SELECT t_id FROM u WHERE x = $1)",
       "SELECT t u; list t.id 0; t.id = list"},
  });
}

TEST(SqlFacts, JoinsAndSubqueries) {
  check({
      {R"(SELECT t0."id", p1."post_id"::bigint FROM "tags" AS t0 INNER JOIN "post_tags" AS p1 ON t0."id" = p1."tag_id" WHERE (p1."post_id" = ANY($1)) ORDER BY p1."post_id"::bigint)",
       "SELECT tags post_tags; list post_tags.post_id 1; tags.id = join; post_tags.tag_id = join; "
       "post_tags.post_id = 1 list; by post_tags.post_id; joins"},
      {"SELECT * FROM a, b WHERE a.id = b.a_id AND b.id = $1",
       "SELECT a b; one b.id 1; a.id = join; b.a_id = join; b.id = 1; joins"},
      {"SELECT * FROM a JOIN b ON b.a_id = a.id WHERE x = $1",
       "SELECT a b; one ?.x 1; b.a_id = join; a.id = join; ?.x = 1; joins"},
      {"SELECT count(*) FROM (SELECT id FROM posts AS p0 WHERE p0.user_id = $1 LIMIT 10) AS s0",
       "SELECT posts; one posts.user_id 1; posts.user_id = 1; aggregate"},
      {"WITH x AS (SELECT * FROM posts WHERE user_id = $1) SELECT * FROM x",
       "SELECT posts; one posts.user_id 1; posts.user_id = 1"},
      {"WITH RECURSIVE x AS (SELECT * FROM nodes WHERE id = $1 UNION ALL SELECT n.* FROM nodes n "
       "JOIN x ON x.id = n.parent_id) SELECT * FROM x",
       "SELECT nodes; one nodes.id 1; nodes.id = 1"},
      {"WITH x AS (SELECT 1) INSERT INTO t (a) SELECT * FROM u", "INSERT t u"},
      {"(SELECT a FROM t WHERE id = $1) UNION (SELECT b FROM u) ORDER BY 1 LIMIT 3",
       "SELECT t u; one t.id 1; t.id = 1; limit 3"},
      {"SELECT (SELECT count(*) FROM b WHERE b.a_id = a.id) FROM a WHERE a.id = $1",
       "SELECT a b; one a.id 1; a.id = 1"},
      {"SELECT * FROM shop.posts WHERE shop.posts.id = $1",
       "SELECT posts; one posts.id 1; posts.id = 1"},
      {"SELECT * FROM unnest($1::int[]) AS x", "SELECT"},
  });
}

TEST(SqlFacts, WholeStatement) {
  check({
      {"SELECT * FROM t ORDER BY a DESC, b LIMIT $1 OFFSET 20",
       "SELECT t; by t.a desc; by t.b; limit 1; offset 2"},
      {"SELECT * FROM t LIMIT ALL", "SELECT t"},
      {"SELECT * FROM t FOR UPDATE SKIP LOCKED", "SELECT t; locks"},
      {"SELECT count(*), max(a) FROM t", "SELECT t; aggregate"},
      {"SELECT coalesce(sum(a), 0) FROM t WHERE user_id = $1",
       "SELECT t; one t.user_id 1; t.user_id = 1; aggregate"},
      {"SELECT a, count(*) FROM t GROUP BY a", "SELECT t"},
      {"SELECT lower(a) FROM t", "SELECT t"},
      {"SELECT count(*) OVER (), a FROM t", "SELECT t"},
      {"SELECT TRUE FROM t WHERE id = $1 LIMIT 1",
       "SELECT t; one t.id 1; t.id = 1; limit 2; aggregate"},
      {"SELECT EXISTS(SELECT 1 FROM t WHERE user_id = $1)",
       "SELECT t; one t.user_id 1; t.user_id = 1; aggregate"},
      {"INSERT INTO t (a, b) VALUES ($1, $2) RETURNING id", "INSERT t; rows 1; returning"},
      {"INSERT INTO t (a) VALUES ($1),($2),($3) ON CONFLICT DO NOTHING",
       "INSERT t; rows 3; on_conflict"},
      {"INSERT INTO t (a) SELECT b FROM u", "INSERT t u"},
      {"INSERT INTO t DEFAULT VALUES", "INSERT t; rows 1"},
      {"UPDATE t AS t0 SET a = $1 WHERE (t0.id = $2)", "UPDATE t; one t.id 2; t.id = 2"},
      {"UPDATE t SET a = u.a FROM u WHERE u.id = t.u_id",
       "UPDATE t u; u.id = join; t.u_id = join; joins"},
      {"DELETE FROM t WHERE id = $1", "DELETE t; one t.id 1; t.id = 1"},
      {"CREATE INDEX i ON t (a)", "CREATE INDEX t"},
      {"ALTER TABLE t ADD COLUMN a varchar(255)", "ALTER TABLE t"},
      {"DROP TABLE a, b", "DROP TABLE a b"},
      {"TRUNCATE t", "TRUNCATE t"},
      {"DECLARE c CURSOR FOR SELECT * FROM t WHERE id > $1", "SELECT t; t.id > 1; range"},
      {"BEGIN; SELECT * FROM t WHERE id = 1; COMMIT", "SELECT t; one t.id 1; t.id = 1"},
      {"COPY t FROM STDIN", "COPY t"},
  });
}

TEST(SqlFacts, SystemStatements) {
  SqlFixture sql;
  for (
      const char* text :
      {"SELECT 1", "SELECT $1::text", "SHOW server_version", "SET LOCAL x = 'y'",
       "SET search_path TO tenant_1", "SELECT pg_try_advisory_xact_lock($1)",
       "SELECT nextval('posts_id_seq')", "SELECT s0.version FROM schema_migrations AS s0",
       "LOCK TABLE schema_migrations IN SHARE UPDATE EXCLUSIVE MODE", "DEALLOCATE ALL",
       "SELECT * FROM information_schema.tables", "LISTEN x",
       R"(UPDATE "public"."oban_jobs" AS o0 SET "state" = $1, "completed_at" = $2 WHERE (o0."id" = $3))",
       R"(WITH "subset" AS MATERIALIZED (SELECT so0."id" AS "id" FROM "oban_jobs" AS so0 LIMIT $1
           FOR UPDATE SKIP LOCKED) UPDATE "oban_jobs" AS o0 SET "state" = $2 FROM "subset" AS f1
           WHERE (o0."id" = f1."id") RETURNING o0."id")",
       R"(INSERT INTO "oban_peers" AS o0 ("name","node") VALUES ($1,$2) ON CONFLICT DO NOTHING)",
       R"(SELECT t.oid, ARRAY (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = t.typrelid)
           FROM pg_type AS t LEFT JOIN pg_type AS d ON t.typbasetype = d.oid)"}) {
    EXPECT_TRUE(sql.query(text).system) << text;
    EXPECT_TRUE(sql.query(text).parsed) << text;
  }
  for (const char* text :
       {"SELECT pg_sleep(1)", "SELECT my_function($1)", "SELECT * FROM posts",
        R"(INSERT INTO "private"."oban_jobs" ("queue","args") VALUES ($1,$2) RETURNING "id")",
        R"(SELECT o0."id" FROM "oban_jobs" AS o0 JOIN "users" AS u1 ON u1."id" = o0."args")",
        "SELECT * FROM obanish", "CREATE INDEX ON oban_jobs (state)",
        "SELECT * FROM posts JOIN pg_class ON true", "INSERT INTO t (a) VALUES (1)", "BEGIN"}) {
    EXPECT_FALSE(sql.query(text).system) << text;
  }
}

TEST(SqlFacts, EndsOfJobs) {
  SqlFixture sql;
  EXPECT_TRUE(sql.query(R"(UPDATE "public"."oban_jobs" AS o0 SET "state" = $1, "completed_at" = $2
                           WHERE (o0."id" = $3))")
                  .ends_job);
  for (
      const char* text :
      {R"(UPDATE "oban_jobs" AS o0 SET "state" = $1 FROM "oban_jobs" AS s1 WHERE o0."id" = s1."id")",
       R"(UPDATE "jobs" AS o0 SET "state" = $1 WHERE (o0."id" = $2))",
       R"(SELECT o0."id" FROM "oban_jobs" AS o0 WHERE (o0."id" = $1))"}) {
    EXPECT_FALSE(sql.query(text).ends_job) << text;
  }
}

TEST(SqlFacts, TransactionVerbs) {
  struct {
    const char* sql;
    TransactionVerb verb;
    const char* summary;
  } const cases[] = {
      {"begin", TransactionVerb::kBegin, "BEGIN"},
      {"BEGIN ISOLATION LEVEL SERIALIZABLE", TransactionVerb::kBegin, "BEGIN"},
      {"START TRANSACTION READ ONLY", TransactionVerb::kBegin, "BEGIN"},
      {"/* x */\nCOMMIT", TransactionVerb::kCommit, "COMMIT"},
      {"end", TransactionVerb::kCommit, "COMMIT"},
      {"ROLLBACK", TransactionVerb::kRollback, "ROLLBACK"},
      {"SAVEPOINT postgrex_query", TransactionVerb::kSavepoint, "SAVEPOINT"},
      {"RELEASE SAVEPOINT postgrex_query", TransactionVerb::kRelease, "RELEASE SAVEPOINT"},
      {"ROLLBACK TO SAVEPOINT a", TransactionVerb::kRollbackTo, "ROLLBACK TO SAVEPOINT"},
      {"ROLLBACK TO a", TransactionVerb::kRollbackTo, "ROLLBACK TO SAVEPOINT"},
  };
  SqlFixture sql;
  for (const auto& one : cases) {
    const Query& query = sql.query(one.sql);
    EXPECT_EQ(query.transaction, one.verb) << one.sql;
    EXPECT_EQ(query.operation, Operation::kTransaction) << one.sql;
    EXPECT_EQ(query.summary, one.summary) << one.sql;
  }
  // A made-up savepoint name is no shape of its own.
  EXPECT_EQ(sql.query("SAVEPOINT a1").id, sql.query("SAVEPOINT b2").id);
  EXPECT_EQ(sql.query("PREPARE TRANSACTION 'x'").transaction, TransactionVerb::kNone);
}

TEST(SqlFacts, SlotsCountParametersThenLiterals) {
  SqlFixture sql;
  const Query& query =
      sql.query("SELECT * FROM t WHERE a = 'x' AND b = $2 AND c = $1 AND d = 7 LIMIT 3");
  EXPECT_EQ(query.parameters, 2);
  EXPECT_EQ(query.literals, 3);
  EXPECT_THAT(query.equal_slots, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(query.limit_slot, 5);
  const ResolvedSql& resolved =
      sql.shapes.resolve("SELECT * FROM t WHERE a = 'x' AND b = $2 AND c = $1 AND d = 7 LIMIT 3");
  EXPECT_THAT(resolved.literals, ElementsAre("x", "7", "3"));
}

TEST(SqlFacts, SingleAndListAreTwoShapesOfOneFingerprint) {
  SqlFixture sql;
  const Query& single = sql.query("SELECT * FROM posts WHERE user_id = $1");
  const Query& list = sql.query("SELECT * FROM posts WHERE user_id = ANY($1)");
  EXPECT_EQ(single.fingerprint, list.fingerprint);
  EXPECT_NE(single.fingerprint, 0U);
  EXPECT_NE(single.id, list.id);
  EXPECT_NE(single.canonical, list.canonical);
}

// Recorded from Ecto: every one of them must be understood.
TEST(SqlFacts, EctoStatementsAreUnderstood) {
  std::ifstream file(SOURCE_DIR "/tests/data/parsers/ecto_statements.sql");
  std::stringstream all;
  all << file.rdbuf();
  const std::string text = all.str();
  const std::string separator = "\n--;;\n";
  SqlFixture sql;
  size_t statements = 0;
  for (size_t begin = 0; begin < text.size(); ++statements) {
    size_t end = text.find(separator, begin);
    if (end == std::string::npos) end = text.size();
    const std::string one = text.substr(begin, end - begin);
    begin = end + separator.size();
    const Query& query = sql.query(one);
    EXPECT_TRUE(query.parsed) << one;
    EXPECT_FALSE(query.summary.empty()) << one;
    EXPECT_TRUE(query.system || query.operation != Operation::kOther) << one;
    const bool tableless = query.system || query.operation == Operation::kTransaction ||
                           one.starts_with("SELECT length(") ||
                           one.starts_with("SELECT pg_sleep") ||
                           one.starts_with("SELECT a.\"id\", b.");
    EXPECT_TRUE(tableless || !query.tables.empty()) << one;
  }
  EXPECT_GT(statements, 100U);
}

}  // namespace
}  // namespace ectoscope
