#include "traces/write_linker.h"

#include <string>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

class WriteLinkerTest : public ::testing::Test {
 protected:
  QueryId add(Operation operation, const std::string& table, uint32_t count = 1) {
    Query query;
    query.operation = operation;
    query.key_form = KeyForm::kSingle;
    query.tables = {table};
    query.inserted_rows = count;
    return queries.add(query);
  }

  void run(QueryId query, int64_t ms, int64_t value = 0) {
    Execution execution;
    execution.query = query;
    execution.started_at = EventTime(std::chrono::milliseconds(ms));
    execution.ended_at = execution.started_at + Micros(500);
    execution.position = ++position;
    execution.integers[0] = value;
    execution.integer_slots = value == 0 ? 0 : 1;
    execution.session = 1;
    linker.add(execution, sink);
  }

  /// "order stock", one line a trace.
  std::string finish() {
    linker.finish(sink);
    return traces;
  }

  QueryTable queries{64};
  QueryId user = add(Operation::kSelect, "users");
  QueryId order = add(Operation::kInsert, "orders");
  QueryId stock = add(Operation::kUpdate, "products");
  QueryId audit = add(Operation::kInsert, "audits");
  QueryId rows = add(Operation::kInsert, "audits", 5);
  uint64_t position = 0;
  std::string traces;
  double least = 1;
  WriteLinker::Sink sink = [this](const WriteLinker::Found& found) {
    for (const Execution& execution : found.executions)
      traces += queries[execution.query].tables[0] + " ";
    traces += "\n";
    least = std::min(least, found.confidence);
  };
  WriteLinker linker{queries};
};

TEST_F(WriteLinkerTest, AValueThatIsHandedOn) {
  run(user, 0, 77);
  run(order, 10, 77);
  run(audit, 30, 77);
  run(order, 500, 91);
  EXPECT_EQ(finish(), "users orders audits \n");
}

TEST_F(WriteLinkerTest, AConstantIsNotHandedOn) {
  for (int64_t i = 0; i < 10; ++i)
    run(user, i, 5);
  run(order, 20, 5);
  run(audit, 30, 5);
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, AHabit) {
  for (int64_t i = 0; i < 8; ++i) {
    run(order, i * 2000);
    run(stock, i * 2000 + 12);
  }
  std::string expected;
  for (int i = 0; i < 8; ++i)
    expected += "orders products \n";
  EXPECT_EQ(finish(), expected);
  EXPECT_GT(least, 0.7);
}

TEST_F(WriteLinkerTest, LessThanAHabit) {
  for (int64_t i = 0; i < 4; ++i) {
    run(order, i * 2000);
    run(stock, i * 2000 + 12);
  }
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, WhatChanceBringsIsNone) {
  uint64_t seed = 1;
  int64_t at = 0;
  for (int64_t i = 0; i < 400; ++i) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    at += static_cast<int64_t>(seed >> 33U) % 40;
    run((seed >> 60U) % 2 == 0 ? order : stock, at);
  }
  EXPECT_EQ(finish(), "") << "as often at any other distance";
}

TEST_F(WriteLinkerTest, OneTableIsNoQuestion) {
  const QueryId other = add(Operation::kUpdate, "orders");
  for (int64_t i = 0; i < 8; ++i) {
    run(order, i * 2000, 100 + i);
    run(other, i * 2000 + 12, 100 + i);
  }
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, ManyRowsAtOnceAreABatch) {
  run(order, 0, 77);
  run(rows, 10, 77);
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, TooFarApart) {
  run(order, 0, 77);
  run(audit, 400, 77);
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, RequestsSideBySideAreToldApartByValue) {
  run(order, 0, 77);
  run(order, 1, 78);
  run(audit, 20, 78);
  run(audit, 21, 77);
  EXPECT_EQ(finish(), "orders audits \norders audits \n");
}

TEST_F(WriteLinkerTest, AWindowsEndCutsNoTrace) {
  run(order, 0, 70);
  run(order, 9'995, 77);
  run(audit, 10'020, 77);
  run(order, 30'000, 99);
  EXPECT_EQ(traces, "orders audits \n");
  EXPECT_EQ(finish(), "orders audits \n");
}

TEST_F(WriteLinkerTest, StaysBounded) {
  for (int64_t i = 0; i < 50'000; ++i) {
    run(user, 0, 1000 + i);
    run(i % 2 == 0 ? order : audit, 0, 1000 + i);
  }
  linker.finish(sink);
  SUCCEED();
}

}  // namespace
}  // namespace ectoscope
