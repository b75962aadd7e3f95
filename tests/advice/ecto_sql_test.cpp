#include "advice/ecto_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(EctoSql, FindsTheAggregate) {
  struct {
    const char* sql;
    const char* function;
    const char* column;
  } cases[] = {
      {R"(SELECT count(*) FROM "posts" AS p0)", "count", ""},
      {R"(SELECT count(p0."id") FROM "posts" AS p0)", "count", "id"},
      {R"(SELECT COUNT(DISTINCT p0."id") FROM "posts" AS p0)", "count", ""},
      {R"(SELECT sum(o0."total_cents") FROM "orders" AS o0)", "sum", "total_cents"},
      {R"(SELECT coalesce(sum(o0."total"), $1) FROM "orders" AS o0)", "sum", "total"},
      {R"(SELECT max(a + b) FROM t)", "max", ""},
      {R"(SELECT $2 FROM "posts" AS p0 WHERE (count(x) > 1) LIMIT $3)", "", ""},
      {R"sql(SELECT p0."account(s)" FROM "posts" AS p0)sql", "", ""},
      {R"(SELECT discount(x) FROM t)", "", ""},
      {"", "", ""},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(aggregate_of(c.sql).function, c.function) << c.sql;
    EXPECT_EQ(aggregate_of(c.sql).column, c.column) << c.sql;
  }
}

std::vector<std::string> sets(std::string_view sql) {
  std::vector<std::string> names;
  for (const SetColumn& column : set_columns(sql))
    names.push_back(column.column + (column.from_itself ? "+" : ""));
  return names;
}

TEST(EctoSql, FindsTheColumnsThatAreSet) {
  EXPECT_THAT(sets(R"(UPDATE "products" SET "stock" = $1, "updated_at" = $2 WHERE "id" = $3)"),
              ElementsAre("stock", "updated_at"));
  EXPECT_THAT(sets(R"(UPDATE "products" AS p0 SET "stock" = p0."stock" - $1 WHERE (p0."id" = $2))"),
              ElementsAre("stock+"));
  EXPECT_THAT(sets(R"(UPDATE t SET a = coalesce(b, c), d = $1)"), ElementsAre("a", "d"));
  EXPECT_THAT(sets(R"(SELECT 1)"), IsEmpty());
  EXPECT_THAT(sets(R"(UPDATE t SET "a)"), IsEmpty());
}

TEST(EctoSql, FindsTheConflictTarget) {
  EXPECT_THAT(conflict_target(R"(INSERT INTO t VALUES ($1) ON CONFLICT ("a","b") DO UPDATE SET)"),
              ElementsAre("a", "b"));
  EXPECT_THAT(conflict_target("insert into t values ($1) on conflict (a) do nothing"),
              ElementsAre("a"));
  EXPECT_THAT(conflict_target("... ON CONFLICT (lower(email)) DO NOTHING"), IsEmpty());
  EXPECT_THAT(conflict_target("... ON CONFLICT ON CONSTRAINT x DO NOTHING"), IsEmpty());
  EXPECT_THAT(conflict_target("... ON CONFLICT DO NOTHING"), IsEmpty());
  EXPECT_TRUE(conflict_does_nothing("... ON CONFLICT DO NOTHING"));
  EXPECT_FALSE(conflict_does_nothing("... ON CONFLICT (a) DO UPDATE SET a = EXCLUDED.a"));
}

}  // namespace
}  // namespace ectoscope
