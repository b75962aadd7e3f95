#include "incident_builder.h"

namespace ectoscope {
namespace {

/// Connections of stream 1, numbered as they are made.
class Pool {
 public:
  explicit Pool(const Overrides& overrides = {}) : probe("connection_churn", overrides) {}

  Pool& connect(int64_t ms, size_t count) {
    for (size_t i = 0; i < count; ++i)
      say(IncidentKind::kConnected, ms, ++newest_);
    return *this;
  }
  /// The oldest ones.
  Pool& drop(int64_t ms, size_t count) {
    for (size_t i = 0; i < count; ++i)
      say(IncidentKind::kDisconnected, ms, ++dropped_);
    return *this;
  }

  [[nodiscard]] size_t storms() const { return probe.observations.size(); }

  Probe probe;

 private:
  void say(IncidentKind kind, int64_t ms, uint64_t session) {
    Incident one = incident(kind);
    one.at = one.started_at = moment(ms);
    one.session = session;
    one.pid = static_cast<int32_t>(session);
    one.stream = 1;
    probe.judge(one, queries_);
  }

  QueryTable queries_{4};
  uint64_t newest_ = 0;
  uint64_t dropped_ = 0;
};

TEST(ConnectionChurn, FindsAPoolThatDiesAgainAndAgain) {
  Pool pool;
  pool.connect(0, 10);
  for (int64_t round = 1; round <= 2; ++round)
    pool.drop(round * 2000, 10).connect(round * 2000 + 500, 10);
  ASSERT_EQ(pool.storms(), 1U);
  const Observation& storm = pool.probe.observations[0];
  EXPECT_EQ(storm.evidence.at("total_reconnects"), 20);
  EXPECT_EQ(storm.evidence.at("max_open"), 10);
  EXPECT_EQ(storm.ended_at, moment(4500));
}

TEST(ConnectionChurn, HealthyLookAlikes) {
  EXPECT_EQ(Pool().connect(0, 40).storms(), 0U) << "a pool that starts";
  EXPECT_EQ(Pool().connect(0, 40).drop(1000, 40).connect(2000, 40).storms(), 0U) << "a deploy";
  EXPECT_EQ(Pool().connect(0, 10).drop(1000, 10).connect(2000, 9).storms(), 0U)
      << "less than two rounds";
  Pool rolling;
  rolling.connect(0, 50);
  for (int64_t node = 0; node < 5; ++node)
    rolling.drop(node * 5000 + 1000, 10).connect(node * 5000 + 2000, 10);
  EXPECT_EQ(rolling.storms(), 0U) << "a rolling deploy of five nodes";
  Pool monitoring;
  for (int64_t poll = 0; poll < 100; ++poll)
    monitoring.connect(poll * 5000, 1).drop(poll * 5000 + 20, 1);
  EXPECT_EQ(monitoring.storms(), 0U) << "a probe each five seconds";
  Pool slow;
  slow.connect(0, 10);
  for (int64_t hour = 1; hour < 10; ++hour)
    slow.drop(hour * 3'600'000, 10).connect(hour * 3'600'000 + 500, 10);
  EXPECT_EQ(slow.storms(), 0U) << "an hourly restart";
}

TEST(ConnectionChurn, TakesItsThresholds) {
  const auto rounds = [](const Overrides& overrides, size_t count) {
    Pool pool(overrides);
    pool.connect(0, 3);
    for (size_t round = 0; round < count; ++round)
      pool.drop(1000, 3).connect(1500, 3);
    return pool.storms();
  };
  EXPECT_EQ(rounds({{"min_reconnects", 6}}, 2), 1U) << "at it";
  EXPECT_EQ(rounds({{"min_reconnects", 7}}, 2), 0U) << "one below";
  EXPECT_EQ(rounds({{"min_reconnects", 6}, {"min_rounds", 3}}, 2), 0U);
  EXPECT_EQ(rounds({{"min_reconnects", 6}, {"min_rounds", 3}}, 3), 1U);
}

TEST(ConnectionChurn, StaysBounded) {
  Pool pool;
  pool.connect(0, 50'000);
  EXPECT_EQ(pool.storms(), 0U);
}

}  // namespace
}  // namespace ectoscope
