#include "traces/write_linker.h"

#include <algorithm>
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
    return queries_.add(query);
  }

  QueryId add_keyed(Operation operation, const std::string& table, uint16_t slot) {
    Query query;
    query.operation = operation;
    query.key_form = KeyForm::kSingle;
    query.tables = {table};
    query.key_slot = slot;
    query.equal_slots = {slot};
    return queries_.add(query);
  }

  Execution at(QueryId query, int64_t ms) {
    Execution execution;
    execution.query = query;
    execution.started_at = EventTime(std::chrono::milliseconds(ms));
    execution.ended_at = execution.started_at + Micros(500);
    execution.position = ++position_;
    execution.session = 1;
    return execution;
  }

  void run(QueryId query, int64_t ms, int64_t value = 0, int64_t second = 0) {
    Execution execution = at(query, ms);
    execution.integers = {value, second};
    execution.integer_slots =
        static_cast<uint8_t>((value == 0 ? 0U : 1U) | (second == 0 ? 0U : 2U));
    linker_.add(execution, sink_);
  }

  void run_text(QueryId query, int64_t ms, uint32_t hash) {
    Execution execution = at(query, ms);
    execution.values[0] = hash;
    linker_.add(execution, sink_);
  }

  int64_t random(int64_t most) {
    seed_ = seed_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<int64_t>(seed_ >> 33U) % most;
  }

  /// "order stock", one line a trace.
  std::string finish() {
    linker_.finish(sink_);
    return traces_;
  }

  QueryTable queries_{64};
  QueryId user_ = add(Operation::kSelect, "users");
  QueryId order_ = add(Operation::kInsert, "orders");
  QueryId stock_ = add(Operation::kUpdate, "products");
  QueryId audit_ = add(Operation::kInsert, "audits");
  QueryId rows_ = add(Operation::kInsert, "audits", 5);
  uint64_t position_ = 0;
  uint64_t seed_ = 1;
  std::string traces_;
  double least_ = 1;
  WriteLinker::Sink sink_ = [this](const WriteLinker::Found& found) {
    for (const Execution& execution : found.executions)
      traces_ += queries_[execution.query].tables[0] + " ";
    traces_ += "\n";
    least_ = std::min(least_, found.confidence);
  };
  WriteLinker linker_{queries_};
};

TEST_F(WriteLinkerTest, AValueThatIsHandedOn) {
  run(user_, 0, 77);
  run(order_, 10, 77);
  run(audit_, 30, 77);
  run(order_, 500, 91);
  EXPECT_EQ(finish(), "users orders audits \n");
}

TEST_F(WriteLinkerTest, AConstantIsNotHandedOn) {
  for (int64_t i = 0; i < 10; ++i)
    run(user_, i, 5);
  run(order_, 20, 5);
  run(audit_, 30, 5);
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, AHabit) {
  for (int64_t i = 0; i < 8; ++i) {
    run(order_, i * 2000);
    run(stock_, i * 2000 + 12);
  }
  std::string expected;
  for (int i = 0; i < 8; ++i)
    expected += "orders products \n";
  EXPECT_EQ(finish(), expected);
  EXPECT_GT(least_, 0.7);
}

TEST_F(WriteLinkerTest, LessThanAHabit) {
  for (int64_t i = 0; i < 4; ++i) {
    run(order_, i * 2000);
    run(stock_, i * 2000 + 12);
  }
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, WhatChanceBringsIsNone) {
  int64_t ms = 0;
  for (int64_t i = 0; i < 400; ++i) {
    ms += random(40);
    run(random(2) == 0 ? order_ : stock_, ms);
  }
  EXPECT_EQ(finish(), "") << "as often at any other distance";
}

TEST_F(WriteLinkerTest, OneTableIsNoQuestion) {
  const QueryId other = add(Operation::kUpdate, "orders");
  for (int64_t i = 0; i < 8; ++i) {
    run(order_, i * 2000, 100 + i);
    run(other, i * 2000 + 12, 100 + i);
  }
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, ManyRowsAtOnceAreABatch) {
  run(order_, 0, 77);
  run(rows_, 10, 77);
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, TooFarApart) {
  run(order_, 0, 77);
  run(audit_, 400, 77);
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, RequestsSideBySideAreToldApartByValue) {
  run(order_, 0, 77);
  run(order_, 1, 78);
  run(audit_, 20, 78);
  run(audit_, 21, 77);
  EXPECT_EQ(finish(), "orders audits \norders audits \n");
}

TEST_F(WriteLinkerTest, AWindowsEndCutsNoTrace) {
  run(order_, 0, 70);
  run(order_, 9'995, 77);
  run(audit_, 10'020, 77);
  run(order_, 30'000, 99);
  EXPECT_EQ(traces_, "orders audits \n");
  EXPECT_EQ(finish(), "orders audits \n");
}

TEST_F(WriteLinkerTest, AValueThatNobodyElseUsesIsFollowedFurther) {
  for (int64_t i = 0; i < 8; ++i) {  // a call of another service stands between the two
    run(order_, i * 2000, 1000 + i);
    run(audit_, i * 2000 + 600, 1000 + i);
  }
  std::string expected;
  for (int i = 0; i < 8; ++i)
    expected += "orders audits \n";
  EXPECT_EQ(finish(), expected);
}

TEST_F(WriteLinkerTest, AVisitorsNextRequestIsNotPartOfIt) {
  for (int64_t i = 0; i < 8; ++i) {  // each begins with the read of the visitor
    run(user_, i * 2000, 1000 + i);
    run(order_, i * 2000 + 10, 1000 + i);
    run(user_, i * 2000 + 300, 1000 + i);
    run(audit_, i * 2000 + 310, 1000 + i);
  }
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, AConstantInTwoSlotsTellsNothing) {
  int64_t ms = 0;
  for (int64_t i = 0; i < 60; ++i) {  // seldom enough that no half second is full of it
    ms += 50 + random(600);
    run(random(2) == 0 ? order_ : audit_, ms, 500);
  }
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, FewRowsMeetByChance) {
  int64_t ms = 0;
  for (int64_t i = 0; i < 600; ++i) {  // a small table, and requests that have nothing in common
    ms += random(60);
    run(random(2) == 0 ? order_ : audit_, ms, 1000 + random(40));
  }
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, ATextThatRowsAreLookedUpBy) {
  const QueryId document = add_keyed(Operation::kUpdate, "documents", 1);
  run_text(document, 0, 0xabcd);
  run_text(audit_, 10, 0xabcd);
  EXPECT_EQ(finish(), "documents audits \n");
}

TEST_F(WriteLinkerTest, ATextThatNoneIsLookedUpByIsAStateOrATime) {
  run_text(order_, 0, 0xabcd);
  run_text(audit_, 10, 0xabcd);
  EXPECT_EQ(finish(), "");
}

TEST_F(WriteLinkerTest, AKeyBehindManyColumns) {
  const QueryId account = add_keyed(Operation::kUpdate, "accounts", 6);
  run(order_, 0, 77);
  Execution update = at(account, 10);
  update.key = 77;
  update.flags = Execution::kKeyIsInteger;
  linker_.add(update, sink_);
  EXPECT_EQ(finish(), "orders accounts \n");
}

TEST_F(WriteLinkerTest, RowsOfOneParent) {
  const QueryId item = add(Operation::kInsert, "items");
  std::string expected;
  for (int64_t i = 0; i < 8; ++i) {  // the order's own id is not in its INSERT; all items cost 500
    run(order_, i * 2000, 0);
    for (int64_t row = 0; row < 1 + i; ++row)
      run(item, i * 2000 + 10 * (row + 1), 4000 + i, 500);
    run(stock_, i * 2000 + 10 * (i + 2));
    expected += "orders ";
    for (int64_t row = 0; row < std::min<int64_t>(1 + i, 4); ++row)
      expected += "items ";
    expected += "products \n";
  }
  EXPECT_EQ(finish(), expected) << "at most four: a loop is told by the loop linker";
}

TEST_F(WriteLinkerTest, WritesThatEndTogetherStandAsTheLogHasThem) {
  for (int64_t i = 0; i < 8; ++i) {  // stamps have milliseconds: by start the second came first
    Execution insert = at(order_, i * 2000);
    insert.started_at += Micros(460);
    linker_.add(insert, sink_);
    Execution update = at(stock_, i * 2000);
    update.started_at += Micros(390);
    linker_.add(update, sink_);
  }
  std::string expected;
  for (int i = 0; i < 8; ++i)
    expected += "orders products \n";
  EXPECT_EQ(finish(), expected);
}

TEST_F(WriteLinkerTest, StaysBounded) {
  for (int64_t i = 0; i < 50'000; ++i) {
    run(user_, 0, 1000 + i);
    run(i % 2 == 0 ? order_ : audit_, 0, 1000 + i);
  }
  linker_.finish(sink_);
  SUCCEED();
}

}  // namespace
}  // namespace ectoscope
