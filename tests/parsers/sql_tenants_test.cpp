#include "parsers/sql_tenants.h"

#include <gtest/gtest.h>

#include "sql_fixture.h"

namespace ectoscope {
namespace {

SqlSettings with(std::vector<std::string> schemas) {
  SqlSettings settings;
  settings.tenant_schemas = std::move(schemas);
  return settings;
}

TEST(TenantSchemas, AreOneInWhatIsShown) {
  SqlFixture sql(with({"tenant_*"}));
  const Query& query = sql.query(
      R"(SELECT p0."id" FROM "tenant_7"."posts" AS p0 WHERE (p0."user_id" = $1) AND (p0."id" > 12))");
  EXPECT_EQ(query.text,
            R"(SELECT p0."id" FROM "tenant_*"."posts" AS p0 WHERE (p0."user_id" = $1) AND )"
            R"((p0."id" > $2))");
  EXPECT_EQ(describe(query),
            "SELECT posts; one posts.user_id 1; posts.user_id = 1; posts.id > 2; range");
}

TEST(TenantSchemas, TheSameStatementIsAShapeEachAndOneProblem) {
  SqlFixture sql(with({"tenant_*", "org_*"}));
  const auto shape = [&](const char* text) { return sql.shapes.resolve(text).query; };
  const QueryId one = shape(R"(SELECT p0."id" FROM "tenant_7"."posts" AS p0 LIMIT 5)");
  EXPECT_EQ(shape("SELECT p0.id FROM tenant_7.posts AS p0 LIMIT 6"), one);
  for (const char* other : {
           R"(SELECT p0."id" FROM "tenant_acme"."posts" AS p0 LIMIT 9)",
           R"(SELECT p0."id" FROM "tenant_*"."posts" AS p0 LIMIT 1)",
       }) {
    EXPECT_NE(shape(other), one) << other;
    EXPECT_EQ(sql.query(other).canonical, sql.queries[one].canonical) << other;
  }
  for (const char* other : {
           R"(SELECT p0."id" FROM "org_7"."posts" AS p0 LIMIT 5)",
           R"(SELECT p0."id" FROM "audit"."posts" AS p0 LIMIT 5)",
           R"(SELECT p0."id" FROM "posts" AS p0 LIMIT 5)",
       }) {
    EXPECT_NE(sql.query(other).canonical, sql.queries[one].canonical) << other;
  }
}

TEST(TenantSchemas, LiteralsAndRowsStayInTheirPlaces) {
  SqlFixture sql(with({"tenant_*"}));
  const ResolvedSql& read = sql.shapes.resolve(
      R"(SELECT 'a', "tenant_12345"."f"(1) FROM "tenant_7"."posts" WHERE x = 'b')");
  ASSERT_EQ(read.literals.size(), 3U);
  EXPECT_EQ(read.literals[2], "b");
  EXPECT_EQ(sql.queries[read.query].text,
            R"(SELECT $1, "tenant_*"."f"($2) FROM "tenant_*"."posts" WHERE x = $3)");
  const Query& rows = sql.query(
      R"(INSERT INTO "tenant_123456789"."posts" ("a","b") VALUES ($1,'x'),($2,'y'),($3,'z') )"
      R"(ON CONFLICT ("a") DO UPDATE SET "b" = "tenant_123456789"."posts"."b")");
  EXPECT_EQ(rows.inserted_rows, 3U);
  EXPECT_EQ(rows.text.find("123456789"), std::string::npos) << rows.text;
}

TEST(TenantSchemas, OtherNamesAreNone) {
  SqlFixture sql(with({"tenant_*"}));
  for (const char* text : {
           R"(SELECT tenant_a."id" FROM "tenants" AS tenant_a)",
           R"(SELECT t0."tenant_id" FROM "tenants" AS t0)",
           R"(SELECT x."tenant_a"."id" FROM "posts" AS x)",
           R"(SELECT 1 FROM "tenant_users")",
       }) {
    EXPECT_EQ(sql.query(text).text.find('*'), std::string::npos) << text;
  }
  EXPECT_EQ(sql.query(R"(SELECT 'tenant_7.posts' FROM "posts")").text, R"(SELECT $1 FROM "posts")");
}

TEST(TenantSchemas, NoneAreConfigured) {
  SqlFixture sql(with({}));
  EXPECT_EQ(sql.query(R"(SELECT 1 FROM "tenant_7"."posts")").text,
            R"(SELECT $1 FROM "tenant_7"."posts")");
}

TEST(TenantSchemas, ShowNoNameInWhatIsRefused) {
  SqlFixture sql(with({"tenant_*"}));
  EXPECT_EQ(sql.query(R"(SELEC x FROM "tenant_7"."posts")").text,
            R"(selec x FROM "tenant_*"."posts")");
  EXPECT_EQ(sql.count("sql_refused"), 1U);
  const std::string& cut = sql.query(R"(SELECT 1 FROM "tenant_7"."posts" WHERE a = 'unfin)").text;
  EXPECT_EQ(cut.find("tenant_7"), std::string::npos) << cut;
  EXPECT_NE(cut.find("posts"), std::string::npos) << cut;
  const std::string& name = sql.query(R"(SELECT 1 FROM tenant_7.posts WHERE "unfin)").text;
  EXPECT_EQ(name.find("tenant_7"), std::string::npos) << name;
}

}  // namespace
}  // namespace ectoscope
