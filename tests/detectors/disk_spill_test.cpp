#include "plan_maker.h"

namespace ectoscope {
namespace {

using Type = PlanNodeType;

template <typename Change>
PlanMaker sorting(Change change) {
  return PlanMaker().node(Type::kSort, {.found = 1000}).whole([&](Plan& plan) {
    change(plan.nodes[0]);
  });
}

TEST(DiskSpill, SortsAndHashes) {
  const PlanCase cases[] = {
      {"a MiB of blocks", sorting([](PlanNode& it) { it.temp_blocks_written = 128; }), true},
      {"a block less", sorting([](PlanNode& it) { it.temp_blocks_written = 127; }), false},
      {"blocks not logged: by the sort's own word", sorting([](PlanNode& it) {
         it.sort_on_disk = true;
         it.sort_space_kb = 40'000;
       }),
       true},
      {"a sort in memory", sorting([](PlanNode& it) { it.sort_space_kb = 40'000; }), false},
      {"a hashed aggregate", sorting([](PlanNode& it) { it.disk_usage_kb = 2048; }), true},
      {"in each of three workers", sorting([](PlanNode& it) {
         it.sort_on_disk = true;
         it.sort_space_kb = 400;
         it.loops = 3;
       }),
       true},
      {"however fast", sorting([](PlanNode& it) { it.temp_blocks_written = 5012; }), true,
       Micros(1)},
  };
  expect_found("disk_spill", select_all("posts"), cases);
}

TEST(DiskSpill, CriticalTakesBytesAndTime) {
  const auto severity = [](double blocks, Micros duration) {
    const Query query = select_all("posts");
    Probe probe("disk_spill");
    probe.explain(sorting([&](PlanNode& it) { it.temp_blocks_written = blocks; }).make(),
                  ran(query, duration), query);
    return probe.observations.at(0).severity;
  };
  EXPECT_EQ(severity(131'072, Micros(1'000'000)), Severity::kCritical);
  EXPECT_EQ(severity(13'000, Micros(1'000'000)), Severity::kWarning);
  EXPECT_EQ(severity(131'072, Micros(10'000)), Severity::kWarning);
}

}  // namespace
}  // namespace ectoscope
