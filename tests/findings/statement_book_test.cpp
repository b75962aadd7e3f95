#include "findings/statement_book.h"

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

QueryId add(QueryTable& queries, const std::string& text, const std::string& canonical) {
  Query query;
  query.text = text;
  query.canonical = canonical;
  query.operation = Operation::kSelect;
  return queries.add(std::move(query));
}

TEST(StatementBook, ShapesOfOneTextAreStoredAsOne) {
  QueryTable queries(10);
  const QueryId single = add(queries, "SELECT $1", "single");
  const QueryId list = add(queries, "SELECT $1", "list");
  StatementBook book("main", queries);
  const uint32_t shop = book.database("shop");
  book.add(shop, single, Micros(1000));
  book.add(shop, list, Micros(3000));
  std::vector<StoredStatement> stored;
  book.store_changes(stored);
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(stored[0].durations.count, 2U);
  EXPECT_EQ(stored[0].max, Micros(3000));
  stored.clear();
  book.store_changes(stored);
  EXPECT_TRUE(stored.empty());
}

TEST(StatementBook, GoesOnFromWhatAnEarlierProcessCounted) {
  QueryTable queries(10);
  StatementBook before("main", queries);
  before.add(before.database("shop"), add(queries, "SELECT $1", "a"), Micros(1000));
  std::vector<StoredStatement> stored;
  before.store_changes(stored);

  QueryTable later(10);
  StatementBook book("main", later);
  book.restore(stored.at(0));
  const QueryId query = add(later, "SELECT $1", "a");
  EXPECT_EQ(book.executions("shop", query), 1U);
  book.add(book.database("shop"), query, Micros(2000));
  EXPECT_EQ(book.executions("shop", query), 2U);
  EXPECT_EQ(book.executions("shop"), 2U);
  EXPECT_EQ(book.counts().at(0).durations.count, 1U) << "metrics begin at zero";
  ASSERT_EQ(book.heaviest(10).size(), 1U);
  EXPECT_EQ(book.heaviest(10)[0]->durations.count, 2U);
}

}  // namespace
}  // namespace ectoscope
