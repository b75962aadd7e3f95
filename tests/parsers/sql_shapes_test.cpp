// Which statements are one shape, what is shown of them, and what hostile text does.
#include "parsers/sql_shapes.h"

#include <chrono>
#include <pthread.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/parsers/sql_fixture.h"

namespace ectoscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A stall is minutes; sanitizers make all things slow.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::chrono::seconds kStall{60};
#else
constexpr std::chrono::seconds kStall{2};
#endif

std::string repeat(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i)
    out += text;
  return out;
}

TEST(SqlShapes, TextToShow) {
  struct {
    const char* sql;
    const char* text;
  } const cases[] = {
      {R"(SELECT p0."id" FROM "posts" AS p0 WHERE (p0."user_id" = $1))",
       R"(SELECT p0."id" FROM "posts" AS p0 WHERE (p0."user_id" = $1))"},
      {"select  id,name\n from users -- who\n where id=5 and x in(1,2)limit 3;",
       "SELECT id, name FROM users WHERE id = $1 AND x IN ($2) LIMIT $3"},
      {"SELECT a FROM t WHERE b = $2 AND c = 'x'", "SELECT a FROM t WHERE b = $2 AND c = $3"},
      {"SELECT count(*), t.* FROM t WHERE a = -5 AND b::numeric(10,2) > 1.5e3",
       "SELECT count(*), t.* FROM t WHERE a = $1 AND b::numeric(10, 2) > $2"},
      {"INSERT INTO t(a,b) VALUES (1,'x'),(2,'y')", "INSERT INTO t (a, b) VALUES ($1, $2), ..."},
      {"INSERT INTO t VALUES (NULL, now())", "INSERT INTO t VALUES ($1, now())"},
      {"ALTER TABLE t ADD COLUMN c varchar(255) DEFAULT 'x'",
       "ALTER TABLE t ADD COLUMN c varchar(255) DEFAULT $1"},
      {"SET search_path TO tenant_17, public", "SET search_path TO $1"},
      {"SELECT E'a\\'b', $x$q$x$, B'101', U&'d!0061' UESCAPE '!', 'a'\n'b', 0x1F",
       "SELECT $1, $2, $3, $4, $5, $6"},
      {"SELECT DATE '2020-01-01' - INTERVAL '1 day'", "SELECT DATE $1 - INTERVAL $2"},
      {R"(SELECT "a ""q"" b", u."Order" FROM "T" u)",
       R"(SELECT "a ""q"" b", u."Order" FROM "T" u)"},
      {"(select 1) union all (select 2)", "(SELECT $1) UNION ALL (SELECT $2)"},
  };
  SqlFixture sql;
  for (const auto& one : cases) {
    std::string expected = one.text;
    // Type names are no keywords to us: they keep small letters.
    if (expected.find("INTERVAL") != std::string::npos) expected = "SELECT date $1 - interval $2";
    EXPECT_EQ(sql.query(one.sql).text, expected) << one.sql;
  }
}

TEST(SqlShapes, SameIdentity) {
  const std::vector<std::vector<const char*>> groups = {
      {R"(SELECT p0."id" FROM "posts" AS p0 WHERE (p0."user_id" = $1))",
       R"(select p3.id from posts as p3 where (p3.user_id=17))",
       R"(SELECT x."id" FROM "posts" AS x WHERE (x."user_id" = 'abc'))",
       "SELECT /* a */ p0.id -- b\n FROM posts AS p0 WHERE (p0.user_id = $1)/*traceparent='x'*/;",
       "SELECT p0.id FROM posts AS p0 WHERE (p0.user_id = -5)"},
      {"SELECT * FROM t WHERE id IN (1)", "SELECT * FROM t WHERE id IN (1, 2, 3)",
       "SELECT * FROM t WHERE id IN ('a','b')", "SELECT * FROM t WHERE id IN ($1,$2,$3,$4)",
       "SELECT * FROM t WHERE id IN (-1, +2)"},
      {"SELECT * FROM t WHERE id = ANY(ARRAY[1,2])", "SELECT * FROM t WHERE id = ANY(ARRAY[7])"},
      {"SELECT * FROM t WHERE id = ANY($1)", "SELECT * FROM t WHERE id = ANY('{1,2}')"},
      {"SELECT * FROM t WHERE id IN ('a'::uuid)",
       "SELECT * FROM t WHERE id IN ('a'::uuid, 'b'::uuid)"},
      {"SELECT * FROM t WHERE (a, b) IN ((1, 2))", "SELECT * FROM t WHERE (a, b) IN ((1,2),(3,4))"},
      {"INSERT INTO t (a, b) VALUES (1, NULL), (2, 'x')",
       "INSERT INTO t (a, b) VALUES ($1,$2),($3,$4),($5,$6)",
       "INSERT INTO t (a, b) VALUES (true, 'y'), (2, 'x'), (3, 'z')"},
      {"SELECT * FROM t LIMIT 5", "SELECT * FROM t LIMIT $1"},
      {"SELECT * FROM a WHERE x <> 1", "SELECT * FROM a WHERE x != 2"},
  };
  SqlFixture sql;
  std::set<std::string> identities;
  for (const auto& group : groups) {
    const std::string first = sql.query(group[0]).canonical;
    EXPECT_TRUE(identities.insert(first).second) << first;
    for (const char* text : group)
      EXPECT_EQ(sql.query(text).canonical, first) << text;
  }
}

TEST(SqlShapes, OtherIdentity) {
  SqlFixture sql;
  std::map<std::string, std::string> seen;
  for (const char* text :
       {"SELECT * FROM t WHERE id = $1", "SELECT * FROM t WHERE id = ANY($1)",
        "SELECT * FROM t WHERE id IN ($1)", "SELECT id FROM t WHERE id = $1",
        "SELECT * FROM t WHERE id = $1 ORDER BY id", "SELECT * FROM u WHERE id = $1",
        "INSERT INTO t (a) VALUES ($1)", "INSERT INTO t (a) VALUES ($1),($2)",
        "SELECT * FROM t WHERE id IN (1, x)", "SELECT * FROM t WHERE id IN (1, x, y)",
        "SELECT f(1)", "SELECT f(1, 2)", R"(SELECT "A" FROM t)", "SELECT a FROM t",
        "SELECT a - 1 FROM t", "SELECT a, -1 FROM t"}) {
    const Query& query = sql.query(text);
    const auto [other, added] = seen.emplace(query.canonical, text);
    EXPECT_TRUE(added) << text << " as " << other->second;
  }
}

// A table may be called as Ecto calls its aliases.
TEST(SqlShapes, AnAliasDoesNotSwallowATable) {
  SqlFixture sql;
  std::map<std::string, std::string> seen;
  for (const char* text : {
           R"(SELECT t0."id" FROM "t0" AS t0 WHERE (t0."id" = $1))",
           R"(SELECT t0."id" FROM "t1" AS t0 WHERE (t0."id" = $1))",
           R"(SELECT t0."id" FROM "t0" AS t0 INNER JOIN "t1" AS t1 ON t1."a" = t0."id")",
           R"(SELECT t0."id" FROM "t1" AS t0 INNER JOIN "t0" AS t1 ON t1."a" = t0."id")",
           "SELECT users.id FROM users AS users",
           "SELECT posts.id FROM posts AS posts",
           R"(UPDATE "t0" AS t0 SET "a" = $1)",
           R"(UPDATE "t1" AS t0 SET "a" = $1)",
           R"(INSERT INTO "t0" AS t0 ("a") VALUES ($1))",
           R"(INSERT INTO "t1" AS t0 ("a") VALUES ($1))",
       }) {
    const Query& query = sql.query(text);
    const auto [other, added] = seen.emplace(query.canonical, text);
    EXPECT_TRUE(added) << text << " as " << other->second << ": " << query.canonical;
  }
  EXPECT_EQ(sql.query(R"(SELECT u5."id" FROM "t0" AS u5 WHERE (u5."id" = $1))").id,
            sql.query(R"(SELECT t0."id" FROM "t0" AS t0 WHERE (t0."id" = $1))").id);
}

TEST(SqlShapes, AnAliasDoesNotSwallowATableOfAGuess) {
  SqlFixture sql;
  for (const std::string table : {"t0", "t1"}) {
    const std::string text = "SELECT t0.id FROM " + table + " AS t0 WHERE (t0.id = ?)";
    EXPECT_THAT(sql.query(text).canonical, HasSubstr("select t1.id from " + table + " as t1"));
  }
}

TEST(SqlShapes, SpellingMakesNoOtherShapeButSlotsDo) {
  SqlFixture sql;
  const QueryId shape = sql.query(R"(SELECT u0."id" FROM "users" AS u0 WHERE u0."id" = $1)").id;
  EXPECT_EQ(sql.query("select u9.id from users as u9 where u9.id=$1").id, shape);
  EXPECT_NE(sql.query("SELECT u0.id FROM users AS u0 WHERE u0.id = 5").id, shape);
  // Two readers of one table give the same shape the same number.
  SqlShapes other(sql.queries, sql.routes, HashKey{3, 4});
  EXPECT_EQ(other.resolve("SELECT u0.id FROM users AS u0 WHERE u0.id = $1").query, shape);
}

// Quotes that don't match: a value's text can seem to stand outside.
TEST(SqlShapes, TornTextIsShownToItsFirstString) {
  SqlFixture sql;
  EXPECT_EQ(describe(sql.query("SELECT a FROM t WHERE b = 1 AND c = 'O'Brien' AND d = 2")),
            "SELECT t; guessed");
  EXPECT_EQ(sql.query("SELECT a FROM t WHERE b = 1 AND c = 'O'Brien' AND d = 2").text,
            "SELECT a FROM t WHERE b = $1 AND c = $2");
  EXPECT_EQ(sql.query("SELECT a FROM t WHERE b = 'abc").text, "SELECT a FROM t WHERE b = $1");
  EXPECT_EQ(sql.query("SELECT a FROM t WHERE b = $$abc").text, "SELECT a FROM t WHERE b = $1");
  EXPECT_EQ(sql.query("SELECT a FROM \"t WHERE b = 'secret'").text, "SELECT a FROM");
  EXPECT_EQ(sql.query("INSERT INTO t VALUES ('a'), ('b'), ('c").text, "INSERT INTO t VALUES ($1");
  EXPECT_EQ(sql.count("sql_refused"), 4U);
}

// A value that was put into the text without quotes.  PostgreSQL 14 read the letters as a name.
TEST(SqlShapes, LettersThatTouchANumberAreOfItsValue) {
  SqlFixture sql;
  const std::string shown = "SELECT a FROM t WHERE b = $1";
  for (const char* value : {"7secret", "1.5secret", "1e5secret", "0xdecret", "1_secret", "8é"}) {
    const std::string text = std::string("SELECT a FROM t WHERE b = ") + value;
    EXPECT_EQ(sql.query(text).text, shown) << text;
  }
}

TEST(SqlShapes, ListsKeepTheirValuesApart) {
  SqlFixture sql;
  EXPECT_THAT(sql.shapes.resolve("SELECT * FROM t WHERE id IN (1,2,3) AND a = 'x'").literals,
              ElementsAre("1,2,3", "x"));
  EXPECT_THAT(sql.shapes.resolve("SELECT * FROM t WHERE id IN (1,2,4) AND a = 'x'").literals,
              ElementsAre("1,2,4", "x"));
  EXPECT_THAT(sql.shapes.resolve("SELECT * FROM t WHERE b = 9 AND id IN ($1, 5)").literals,
              ElementsAre("9"));
  EXPECT_THAT(sql.shapes.resolve("INSERT INTO t VALUES (1,'a'),(2,'b')").literals,
              ElementsAre("1", "a'),(2,'b"));
}

TEST(SqlShapes, ALaterHitSaysTheSame) {
  const std::string select =
      "SELECT /* ectoscope:ignore */ * FROM t WHERE a = 'x''y' AND b IN (1,2)";
  const std::string comment =
      "/*controller='A',action='b',traceparent='00-aebca918efde141641f87fb6feeae145-"
      "c4a97228537884cf-01'*/";
  SqlFixture sql;
  for (int run = 0; run < 3; ++run) {
    const std::string text = select + comment;  // literals are views into it
    EXPECT_EQ(sql.shapes.resolve(text).query, sql.query(select).id);
    sql.shapes.resolve("SELECT 1");
    const ResolvedSql& again = sql.shapes.resolve(text);
    EXPECT_THAT(again.literals, ElementsAre("x''y", "1,2"));
    EXPECT_EQ(to_hex(again.trace_id), "aebca918efde141641f87fb6feeae145");
    EXPECT_EQ(sql.routes[again.route], "A.b");
    EXPECT_TRUE(again.ignored);
    EXPECT_TRUE(again.commented);
  }
}

TEST(SqlShapes, CommentsWhereverTheyStand) {
  const std::string id = "traceparent='00-aebca918efde141641f87fb6feeae145-c4a97228537884cf-01'";
  const std::vector<std::string> cases = {
      "SELECT * FROM t/*" + id + "*/",
      "SELECT * FROM t /*" + id + "*/ ;\n",
      "SELECT * FROM t;/*" + id + "*/",
      "/*" + id + "*/ SELECT * FROM t",
      "SELECT /*" + id + "*/ * FROM t",
      "SELECT * FROM t -- note/*" + id + "*/",
      "SELECT * FROM t /* a /* nested */ b */ /*" + id + "*/",
      "SELECT * FROM t /*" + id + "*/ /* more */",
      "SELECT * -- /*\n FROM t /*" + id + "*/",
      "SELECT * FROM t /* x /* " + id + " */ */",
  };
  for (const std::string& text : cases) {
    SqlFixture sql;
    const ResolvedSql& resolved = sql.shapes.resolve(text);
    EXPECT_EQ(to_hex(resolved.trace_id), "aebca918efde141641f87fb6feeae145") << text;
    EXPECT_TRUE(resolved.commented) << text;
    EXPECT_EQ(sql.queries[resolved.query].text, "SELECT * FROM t") << text;
  }
}

TEST(SqlShapes, WhatLooksLikeACommentIsNone) {
  const std::string id =
      "/*traceparent='00-aebca918efde141641f87fb6feeae145-c4a97228537884cf-01'*/";
  const std::string plain =
      "/*traceparent=00-aebca918efde141641f87fb6feeae145-c4a97228537884cf-01*/";
  for (const std::string& text :
       {"SELECT $$" + id + "$$ FROM t", "SELECT '" + plain + "' FROM t",
        "SELECT E'\\'" + plain + "' FROM t", "SELECT \"" + plain + "\" FROM t",
        "SELECT $a$ $$ " + id + "$a$ FROM t"}) {
    SqlFixture sql;
    const ResolvedSql& resolved = sql.shapes.resolve(text);
    EXPECT_FALSE(resolved.trace_id.known()) << text;
    EXPECT_FALSE(resolved.commented) << text;
    EXPECT_THAT(sql.queries[resolved.query].tables, ElementsAre("t")) << text;
  }
}

TEST(SqlShapes, NothingButAComment) {
  SqlFixture sql;
  for (const char* text : {"", "  ", ";", "/* x */", "-- x", "/* x */ -- y"})
    EXPECT_EQ(sql.shapes.resolve(text).query, kNoQuery) << text;
  EXPECT_TRUE(sql.shapes.resolve("/* x */").commented);
}

// Values must never leave: not from any place of any statement, parsed or not.
TEST(SqlShapes, NoLiteralIsEverShown) {
  const char* const places[] = {"SELECT * FROM t WHERE a = @",
                                "SELECT * FROM t WHERE a IN (1, @, 3)",
                                "SELECT f(@, x) AS b FROM t",
                                "SELECT * FROM t WHERE a->>@ = @",
                                "INSERT INTO t (a) VALUES (@)",
                                "INSERT INTO t (a) VALUES (1), (@), (@)",
                                "UPDATE t SET a = @ WHERE b = @",
                                "DELETE FROM t WHERE a LIKE @ ESCAPE '!'",
                                "CALL p(@)",
                                "EXECUTE q(@)",
                                "NOTIFY c, @",
                                "PREPARE q AS SELECT @",
                                "COMMENT ON TABLE t IS @",
                                "CREATE VIEW v AS SELECT @ AS a",
                                "DO @",
                                "CREATE INDEX i ON t (a) WHERE b = @",
                                "ALTER TABLE t ALTER a SET DEFAULT @",
                                "ALTER ROLE bob PASSWORD @",
                                "CREATE USER bob WITH ENCRYPTED PASSWORD @",
                                "ALTER SYSTEM SET x = @",
                                "SET x = @",
                                "SET LOCAL x TO @, @",
                                "SET ROLE @",
                                "CREATE FUNCTION f() RETURNS int AS @ LANGUAGE sql",
                                "COPY t FROM @",
                                "PREPARE TRANSACTION @",
                                "SELECT json_object(@: 1)",
                                "SELECT ((( @",
                                "WHERE = @ nonsense",
                                "SELECT @ @ @",
                                "@",
                                "SELECT * FROM t WHERE a = @ /* @ */ -- @\n",
                                "EXPLAIN SELECT @",
                                "SELECT @::interval",
                                "CREATE POLICY p ON t USING (a = @)",
                                "SELECT CASE WHEN a = @ THEN @ ELSE @ END FROM t"};
  const char* const forms[] = {"'s3cretmark'",        "E'\\'s3cretmark'", "$$s3cretmark$$",
                               "$q$ ' s3cretmark$q$", "'it''s3cretmark'", "U&'s3cretmark'",
                               "N's3cretmark'",       "'O's3cretmark'",   "'s3cretmark",
                               "'a'\n's3cretmark'",   "4111222233"};
  SqlFixture sql;
  for (const std::string_view place : places) {
    for (const std::string form : forms) {
      std::string text;
      for (const char c : place)
        text += c == '@' ? form : std::string(1, c);
      const Query& query = sql.query(text);
      for (const std::string& shown : {query.text, query.canonical, query.summary}) {
        EXPECT_THAT(shown, Not(HasSubstr("s3cret"))) << text;
        EXPECT_THAT(shown, Not(HasSubstr("4111"))) << text;
      }
      for (const std::string& table : query.tables)
        EXPECT_THAT(table, Not(HasSubstr("s3cret"))) << text;
    }
  }
}

TEST(SqlShapes, HostileTextNeitherKillsNorStalls) {
  struct {
    const char* name;
    std::string sql;
  } const cases[] = {
      {"plus", "SELECT 1" + repeat("+1", 50'000)},
      {"minus", "SELECT " + repeat("- ", 50'000) + "a"},
      {"concat", "SELECT a" + repeat("||a", 40'000)},
      {"casts", "SELECT a" + repeat("::text", 20'000)},
      {"unions", "SELECT 1" + repeat(" UNION ALL SELECT 1", 200'000)},
      {"parens", "SELECT " + repeat("(", 10'000) + "1" + repeat(")", 10'000)},
      {"open parens", "SELECT " + repeat("(", 100'000)},
      {"subselects", "SELECT " + repeat("(SELECT ", 1000) + "1" + repeat(")", 1000)},
      {"not", "SELECT " + repeat("NOT ", 50'000) + "a"},
      {"case", "SELECT " + repeat("CASE WHEN a THEN ", 20'000)},
      {"joins", "SELECT * FROM a" + repeat(" JOIN b ON true", 20'000)},
      {"is null", "SELECT a" + repeat(" IS NULL", 30'000)},
      {"indexes", "SELECT a" + repeat("[1]", 30'000)},
      {"brackets and chains",
       "SELECT " + repeat("(", 150) + "1" + repeat(repeat("+1", 900) + ")", 150)},
      {"comments", repeat("/*", 100'000)},
      {"line comments", repeat("--\n", 100'000)},
      {"quotes", repeat("'\"", 100'000)},
      {"dollars", repeat("$a", 100'000)},
  };
  for (const auto& one : cases) {
    SqlFixture sql;
    const auto start = std::chrono::steady_clock::now();
    const ResolvedSql& resolved = sql.shapes.resolve(one.sql);
    const auto took = std::chrono::steady_clock::now() - start;
    EXPECT_LT(took, kStall) << one.name;
    if (resolved.query != kNoQuery) {
      EXPECT_LE(sql.queries[resolved.query].text.size(), 8192U) << one.name;
      EXPECT_LE(sql.queries[resolved.query].canonical.size(), 8192U) << one.name;
    }
  }
}

TEST(SqlShapes, JustBelowTheLimitsIsStillParsed) {
  for (const std::string& text :
       {"SELECT a FROM t WHERE b = 1" + repeat("+1", 450),
        "SELECT a FROM t WHERE b = " + repeat("(", 190) + "1" + repeat(")", 190),
        "SELECT a FROM t WHERE b = " + repeat("(SELECT a FROM t WHERE b = ", 60) + "1" +
            repeat(")", 60),
        "SELECT a FROM t WHERE b = 1" + repeat(" OR b = 1", 2000),
        "SELECT a FROM t" + repeat(" UNION ALL SELECT a FROM t", 400),
        "SELECT a FROM t WHERE b IN (1" + repeat(", 1", 100'000) + ")",
        "INSERT INTO t VALUES (1, 'x')" + repeat(", (2, 'y')", 50'000),
        "SELECT a FROM t WHERE b = '" + repeat("x", 1U << 20U) + "'"}) {
    SqlFixture sql;
    EXPECT_TRUE(sql.query(text).parsed) << text.substr(0, 60);
    EXPECT_TRUE(sql.shapes.counts().empty()) << text.substr(0, 60);
  }
}

// What is short enough to be read on the caller's stack, nested as deep as its length allows, on
// the smallest stack that a thread is given: 2 MiB where the system sets no limit.
TEST(SqlShapes, ShortStatementsNeedLittleStack) {
  pthread_attr_t small;
  ASSERT_EQ(pthread_attr_init(&small), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&small, size_t{2} << 20U), 0);
  for (std::string text : {"SELECT " + repeat("(SELECT ", 165) + "1" + repeat(")", 165),
                           "SELECT " + repeat("NOT ", 495) + "true",
                           "SELECT " + repeat("CASE WHEN ", 95) + "a" + repeat(" THEN 1 END", 95),
                           "SELECT a WHERE " + repeat("a IN (", 120) + "1" + repeat(")", 120)}) {
    pthread_t thread{};
    const auto read = [](void* sql) -> void* {
      auto& said = *static_cast<std::string*>(sql);
      said = SqlFixture().query(said).parsed ? "parsed" : "guessed";
      return nullptr;
    };
    const std::string begun = text.substr(0, 30);
    ASSERT_EQ(pthread_create(&thread, &small, read, &text), 0);
    pthread_join(thread, nullptr);
    EXPECT_EQ(text, "parsed") << begun;
  }
  pthread_attr_destroy(&small);
}

TEST(SqlShapes, WhatIsNotParsedIsGuessedAndCounted) {
  struct {
    const char* sql;
    const char* facts;
    const char* reason;
  } const cases[] = {
      {"SELECT a FROM posts AS p0 WHERE p0.x = JSON_OBJECT('a': 1)", "SELECT posts; guessed",
       "sql_refused"},
      {"UPDATE \"posts\" SET a = WHERE b", "UPDATE posts; guessed", "sql_refused"},
      {"WITH x AS (SELECT 1) INSERT INTO public.t VALUES (1) nonsense", "INSERT t; rows 1; guessed",
       "sql_refused"},
      {"DELETE FROM t WHERE a = ?", "DELETE t; guessed", "sql_refused"},
      {"SELECT (((((1))))) FROM pg_class", "SELECT pg_class; system; guessed", "sql_too_deep"},
      {"SELECT a+a+a+a+a+a+a+a+a+a+a FROM t", "SELECT t; guessed", "sql_too_deep"},
      {"SELECT a, b, c, d, e, f, g, h, i, j, k, l, m, n, o FROM t", "SELECT t; guessed",
       "sql_too_long"},
  };
  SqlSettings limits;
  limits.max_tokens = 30;
  limits.max_depth = 4;
  limits.max_height = 9;
  for (const auto& one : cases) {
    SqlFixture sql(limits);
    EXPECT_EQ(describe(sql.query(one.sql)), one.facts) << one.sql;
    EXPECT_EQ(sql.count(one.reason), 1U) << one.sql;
    sql.query(one.sql);
    EXPECT_EQ(sql.count(one.reason), 1U) << "counted once a shape: " << one.sql;
  }
}

TEST(SqlShapes, AGuessMakesNoShapePerLiteral) {
  SqlFixture sql;
  const QueryId first = sql.query("SELECT * FROM t WHERE a = ? AND b = 'x1'").id;
  for (int i = 0; i < 50; ++i) {
    const std::string text = "SELECT * FROM t WHERE a = ? AND b = 'y" + std::to_string(i) + "'";
    EXPECT_EQ(sql.query(text).id, first);
  }
  EXPECT_EQ(sql.queries.size(), 2U);
}

TEST(SqlShapes, AFullTableIsCountedNotGrown) {
  SqlFixture sql({}, 4);
  for (int i = 0; i < 10; ++i)
    sql.shapes.resolve("SELECT * FROM t" + std::to_string(i));
  EXPECT_EQ(sql.queries.size(), 4U);
  EXPECT_EQ(sql.count("shapes_full"), 7U);
  EXPECT_NE(sql.query("SELECT * FROM t0").id, kNoQuery);
  EXPECT_EQ(sql.shapes.resolve("SELECT * FROM t9").query, kNoQuery);
  EXPECT_EQ(sql.count("shapes_full"), 8U);
}

TEST(SqlShapes, SmallCachesStillAnswerRight) {
  SqlSettings limits;
  limits.exact_cache = 4;
  limits.skeleton_cache = 4;
  SqlFixture sql(limits);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) {
      const std::string table = "t" + std::to_string(i);
      const Query& query = sql.query("SELECT * FROM " + table + " WHERE id = 7");
      EXPECT_THAT(query.tables, ElementsAre(table));
    }
  }
  EXPECT_EQ(sql.queries.size(), 51U);
}

TEST(SqlShapes, BytesThatAreNoTextStayHarmless) {
  SqlFixture sql;
  const std::string text =
      std::string("SELECT \"a\xff\x1b[31m\" FROM t\xc3 WHERE b = '\xff") + '\0' + "'";
  const Query& query = sql.query(text);
  for (const char c : query.text)
    EXPECT_TRUE(c >= ' ' && c < 0x7f) << query.text;
  EXPECT_EQ(sql.query("SELECT \"grüße\" FROM t").text, "SELECT \"grüße\" FROM t");
}

}  // namespace
}  // namespace ectoscope
