#include "plan_maker.h"

namespace ectoscope {
namespace {

using Type = PlanNodeType;

const Query kEvents = by(select_all("events"), "workspace_id");

std::shared_ptr<const Plan> returning(double rows) {
  return PlanMaker().node(Type::kLimit, {.found = rows}).make();
}

/// `runs` executions with rows from 0 to 29 in turn; the time is what `time_of` says of the rows.
template <typename TimeOf>
size_t found(size_t runs, TimeOf time_of, const Query& query = kEvents) {
  Probe probe("inverse_rows");
  for (size_t i = 0; i < runs; ++i) {
    const auto rows = static_cast<double>(i * 7 % 30);
    probe.explain(returning(rows), ran(query, Micros(static_cast<int64_t>(time_of(rows)))), query);
  }
  return probe.observations.size();
}

double slower_with_fewer(double rows) {
  return 1'000'000 - rows * 30'000;
}

TEST(InverseRows, ThirtySamplesAreNeeded) {
  EXPECT_EQ(found(29, slower_with_fewer), 0U);
  EXPECT_GT(found(60, slower_with_fewer), 10U);
}

TEST(InverseRows, LookAlikes) {
  EXPECT_EQ(found(60, [](double rows) { return rows * 30'000; }), 0U) << "more rows, more time";
  EXPECT_EQ(found(60, [](double) { return 500'000; }), 0U) << "always as slow";
  EXPECT_EQ(found(60, [](double rows) { return slower_with_fewer(rows) / 20; }), 0U)
      << "all of them fast";
  size_t turn = 0;
  EXPECT_EQ(found(60, [&](double) { return turn++ % 2 == 0 ? 500'000 : 200'000; }), 0U)
      << "time and rows have nothing to do with each other";
  EXPECT_EQ(found(60, slower_with_fewer, update("events")), 0U);
}

TEST(InverseRows, OnlyTheSlowSideIsAnOccurrence) {
  Probe probe("inverse_rows");
  for (int i = 0; i < 64; ++i)
    probe.explain(returning(i % 2 == 0 ? 1 : 20), ran(kEvents, Micros(i % 2 == 0 ? 900'000 : 2000)),
                  kEvents);
  ASSERT_FALSE(probe.observations.empty());
  for (const Observation& one : probe.observations)
    EXPECT_EQ(one.database_time, Micros(900'000));
}

TEST(InverseRows, RemembersABoundedNumberOfShapes) {
  Probe probe("inverse_rows");
  Query query = kEvents;
  for (QueryId id = 1; id <= 3000; ++id) {  // three times what is kept
    query.id = id;
    probe.explain(returning(1), ran(query), query);
  }
  EXPECT_TRUE(probe.observations.empty());
}

}  // namespace
}  // namespace ectoscope
