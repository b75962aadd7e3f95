#include "plan_maker.h"

namespace ectoscope {
namespace {

using Type = PlanNodeType;

Query paged() {
  Query query = select_all("comments");
  query.has_limit = true;
  query.has_offset = true;
  query.offset_slot = 2;
  query.order_by = {{"comments", "id", false}};
  return query;
}
const Query kPage = paged();

PlanMaker page(double read, double shown = 20) {
  return PlanMaker()
      .node(Type::kLimit, {.found = shown})
      .node(Type::kIndexScan, {.found = read}, "comments");
}

TEST(DeepOffset, ByThePlan) {
  const PlanCase cases[] = {
      {"at the threshold", page(5020), true},
      {"one below", page(5019), false},
      {"the last page is short", page(400'000, 3), true},
      {"past the end of the table", page(400'000, 0), true},
      {"a first page", page(20), false},
      {"too fast", page(5020), false, Micros(9'999)},
  };
  expect_found("deep_offset", kPage, cases);
  const PlanCase limit[] = {{"without OFFSET a Limit skips nothing", page(5020), false}};
  expect_found("deep_offset", select_all("comments"), limit);
}

TEST(DeepOffset, ByTheParameterWhereNoPlanWasLogged) {
  const auto found = [](int64_t offset, uint16_t flags = 0) {
    Execution execution = ran(kPage, Micros(20'000), flags);
    execution.integers[1] = offset;
    execution.integer_slots = 2;
    return Probe("deep_offset").run(execution, kPage).observations.size();
  };
  EXPECT_EQ(found(5000), 1U);
  EXPECT_EQ(found(4999), 0U);
  EXPECT_EQ(found(50'000, Execution::kHasPlan), 0U) << "its plan has spoken";
  EXPECT_EQ(found(50'000, Execution::kNoDuration), 0U);
  EXPECT_EQ(Probe("deep_offset").run(ran(kPage), kPage).observations.size(), 0U)
      << "the value was not logged";
}

}  // namespace
}  // namespace ectoscope
