#include "incident_builder.h"

namespace ectoscope {
namespace {

using namespace std::chrono_literals;

struct Shop {
  QueryTable queries{64};
  QueryId waiter = queries.add(update("products"));
  QueryId holder = queries.add(erase("orders"));

  Incident wait(Micros waited) const {
    Incident one = incident(IncidentKind::kLockWait, waiter);
    one.waited = waited;
    one.trace_id = {0, 1};
    one.add_other({20, holder, {0, 2}});
    return one;
  }
};

TEST(LockWait, NamesBothSides) {
  const Shop shop;
  Probe probe("lock_wait");
  probe.judge(shop.wait(600ms), shop.queries);
  ASSERT_EQ(probe.said(shop.queries), "update products x1 after delete orders");
  const Observation& one = probe.observations[0];
  EXPECT_EQ(one.trace_id, (TraceId{0, 1}));
  EXPECT_EQ(one.other.trace_id, (TraceId{0, 2}));
  EXPECT_EQ(one.pids, std::vector<int32_t>{10});
  EXPECT_EQ(one.other.pids, std::vector<int32_t>{20});
  EXPECT_EQ(one.ended_at - one.started_at, 600ms);
  EXPECT_EQ(one.evidence.at("wait_ms"), 600);
}

TEST(LockWait, ThresholdsAndLookAlikes) {
  const Shop shop;
  const struct {
    const char* why;
    Incident one;
    Overrides overrides;
    const char* said;
  } cases[] = {
      {"five seconds block whoever queues behind",
       shop.wait(5s),
       {},
       "update products x1 after delete orders: critical"},
      {"one below that", shop.wait(5s - 1us), {}, "update products x1 after delete orders"},
      {"at the threshold",
       shop.wait(2s),
       {{"min_wait", 2e6}},
       "update products x1 after delete orders"},
      {"one below it", shop.wait(2s - 1us), {{"min_wait", 2e6}}, ""},
      {"the end of a wait is not another one",
       incident(IncidentKind::kLockAcquired, shop.waiter),
       {},
       ""},
      {"a deadlock is deadlock's", incident(IncidentKind::kDeadlock, shop.waiter), {}, ""},
      {"without a statement or a holder it is still one",
       incident(IncidentKind::kLockWait),
       {},
       "? x1"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(Probe("lock_wait", one.overrides).judge(one.one, shop.queries).said(shop.queries),
              one.said)
        << one.why;
  }
}

}  // namespace
}  // namespace ectoscope
