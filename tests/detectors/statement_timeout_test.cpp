#include "incident_builder.h"

namespace ectoscope {
namespace {

TEST(StatementTimeout, TellsWhoGaveUp) {
  QueryTable queries{64};
  const QueryId report = queries.add(select_all("orders"));
  const struct {
    const char* why;
    IncidentKind kind;
    double client;
    double server;
  } cases[] = {
      {"statement_timeout", IncidentKind::kStatementTimeout, 0, 1},
      {"lock_timeout", IncidentKind::kLockTimeout, 0, 1},
      {"transaction_timeout", IncidentKind::kTransactionTimeout, 0, 1},
      {"DBConnection's :timeout", IncidentKind::kClientCancel, 1, 0},
  };
  for (const auto& one : cases) {
    Probe probe("statement_timeout");
    probe.judge(incident(one.kind, report), queries);
    ASSERT_EQ(probe.said(queries), "orders x1") << one.why;
    EXPECT_EQ(probe.observations[0].evidence.at("total_client_cancels"), one.client) << one.why;
    EXPECT_EQ(probe.observations[0].evidence.at("total_server_timeouts"), one.server) << one.why;
  }
}

TEST(StatementTimeout, IsSilentOnOtherIncidents) {
  const QueryTable queries{64};
  for (const IncidentKind kind : {IncidentKind::kLockWait, IncidentKind::kIdleTimeout,
                                  IncidentKind::kDeadlock, IncidentKind::kDisconnected}) {
    EXPECT_EQ(Probe("statement_timeout").judge(incident(kind), queries).said(queries), "");
  }
}

}  // namespace
}  // namespace ectoscope
