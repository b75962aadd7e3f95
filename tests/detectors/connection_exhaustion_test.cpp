#include "incident_builder.h"

namespace ectoscope {
namespace {

TEST(ConnectionExhaustion, IsOneForEachRefusal) {
  const QueryTable queries{64};
  Probe probe("connection_exhaustion");
  probe.judge(incident(IncidentKind::kNoSlots), queries);
  probe.judge(incident(IncidentKind::kNoSlots), queries);
  EXPECT_EQ(probe.said(queries), "? x1: critical\n? x1: critical");
}

TEST(ConnectionExhaustion, ConnectingIsHealthy) {
  const QueryTable queries{64};
  for (const IncidentKind kind :
       {IncidentKind::kConnected, IncidentKind::kDisconnected, IncidentKind::kIdleTimeout}) {
    EXPECT_EQ(Probe("connection_exhaustion").judge(incident(kind), queries).said(queries), "");
  }
}

}  // namespace
}  // namespace ectoscope
