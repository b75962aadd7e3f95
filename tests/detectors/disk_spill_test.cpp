#include "incident_builder.h"
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

class DiskSpillOfFiles : public ::testing::Test {
 protected:
  static constexpr uint64_t kMiB = 1 << 20;

  /// All files of one run of the query, `ms` after moment(0).
  size_t told(uint64_t bytes, int64_t ms = 0, QueryId query = 0) {
    Incident files = incident(IncidentKind::kTempFile, query == 0 ? query_ : query);
    files.started_at = moment(ms - 400);
    files.at = moment(ms);
    files.temp_bytes = bytes;
    const size_t before = probe_.observations.size();
    probe_.judge(files, queries_);
    return probe_.observations.size() - before;
  }

  /// A run whose plan tells that it spilled so many blocks, or none.
  void explain(double blocks, int64_t ms) {
    Execution execution = ran(queries_[query_]);
    execution.pid = 10;
    execution.ended_at = moment(ms);
    const PlanMaker plan = sorting([&](PlanNode& it) { it.temp_blocks_written = blocks; });
    probe_.explain(plan.make(), execution, queries_[query_]);
  }

  QueryTable queries_{8};
  QueryId query_ = queries_.add(select_all("posts"));
  QueryId other_ = queries_.add(select_all("users"));
  Probe probe_{"disk_spill"};
};

TEST_F(DiskSpillOfFiles, TellsWhereThereIsNoPlan) {
  EXPECT_EQ(told(kMiB), 1U);
  const Observation& one = probe_.observations.at(0);
  EXPECT_EQ(one.query, query_);
  EXPECT_EQ(one.evidence.at("spilled_bytes"), kMiB);
  EXPECT_EQ(one.database_time, Micros(400'000));
  EXPECT_EQ(one.severity, Severity::kWarning);
  EXPECT_EQ(one.remedy, Remedy::kWorkMem);
  EXPECT_EQ(told(kMiB - 1), 0U);
  ASSERT_EQ(probe_.near_misses.size(), 1U);
  EXPECT_EQ(probe_.near_misses[0].option, "min_spilled");
}

TEST_F(DiskSpillOfFiles, AreOneOccurrenceWithTheirPlan) {
  explain(5012, 0);
  ASSERT_EQ(probe_.observations.size(), 1U);
  EXPECT_EQ(told(39 * kMiB, 3), 0U) << "the plan told";
  EXPECT_EQ(told(39 * kMiB, 5, other_), 1U) << "another statement";
  EXPECT_EQ(told(39 * kMiB, 60'000), 1U) << "a later run without a plan";
  explain(0, 70'000);
  EXPECT_EQ(told(39 * kMiB, 70'003), 1U) << "a plan with estimates only";
}

TEST_F(DiskSpillOfFiles, OfAnIndexThatIsBuiltAreNotWorkMems) {
  EXPECT_EQ(told(kMiB, 0, queries_.add(shape(Operation::kDdl, "posts", "CREATE INDEX"))), 0U);
  EXPECT_EQ(told(kMiB, 0, queries_.add(verb(TransactionVerb::kRollback))), 0U) << "a cursor's";
  EXPECT_EQ(told(kMiB, 0, queries_.add(insert("posts"))), 1U);
}

TEST_F(DiskSpillOfFiles, NeedAStatementAndAFile) {
  Incident nameless = incident(IncidentKind::kTempFile);
  nameless.temp_bytes = kMiB;
  probe_.judge(nameless, queries_);
  Incident other_kind = incident(IncidentKind::kLockWait, query_);
  other_kind.temp_bytes = kMiB;
  probe_.judge(other_kind, queries_);
  EXPECT_TRUE(probe_.observations.empty());
}

}  // namespace
}  // namespace ectoscope
