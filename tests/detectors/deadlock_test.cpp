#include "incident_builder.h"

namespace ectoscope {
namespace {

TEST(Deadlock, NamesBothSides) {
  QueryTable queries{64};
  Incident one = incident(IncidentKind::kDeadlock, queries.add(update("products")));
  one.trace_id = {0, 1};
  one.add_other({30, queries.add(update("orders")), {0, 2}});
  one.add_other({20, kNoQuery, {}});
  Probe probe("deadlock");
  probe.judge(one, queries);
  ASSERT_EQ(probe.said(queries), "update products x1 after update orders: critical");
  EXPECT_EQ(probe.observations[0].other.pids, (std::vector<int32_t>{20, 30})) << "three may meet";
  EXPECT_EQ(probe.observations[0].other.trace_id, (TraceId{0, 2}));
}

TEST(Deadlock, IsSilentOnOtherIncidents) {
  const QueryTable queries{64};
  for (const IncidentKind kind : {IncidentKind::kLockWait, IncidentKind::kSerializationFailure,
                                  IncidentKind::kStatementTimeout, IncidentKind::kLockTimeout}) {
    EXPECT_EQ(Probe("deadlock").judge(incident(kind), queries).said(queries), "")
        << static_cast<int>(kind);
  }
}

}  // namespace
}  // namespace ectoscope
