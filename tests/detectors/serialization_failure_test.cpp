#include "incident_builder.h"

namespace ectoscope {
namespace {

TEST(SerializationFailure, IsOneForEach) {
  QueryTable queries{64};
  const QueryId lost = queries.add(update("products"));
  Probe probe("serialization_failure");
  probe.judge(incident(IncidentKind::kSerializationFailure, lost), queries);
  probe.judge(incident(IncidentKind::kSerializationFailure, lost), queries);
  EXPECT_EQ(probe.said(queries), "update products x1\nupdate products x1");
}

TEST(SerializationFailure, PassesOverAFewWhereTransactionsAreRetried) {
  const QueryTable queries{64};
  Probe probe("serialization_failure", {{"min_failures", 3}});
  const auto fail = [&](int64_t ms) {
    Incident one = incident(IncidentKind::kSerializationFailure);
    one.at = moment(ms);
    probe.judge(one, queries);
  };
  fail(0);
  fail(1'000);
  EXPECT_EQ(probe.said(queries), "") << "one below the threshold";
  fail(3'600'000);
  fail(3'600'001);
  EXPECT_EQ(probe.said(queries), "") << "another hour begins at zero";
  fail(3'600'002);
  EXPECT_EQ(probe.said(queries), "? x1") << "at it";
}

TEST(SerializationFailure, IsSilentOnOtherIncidents) {
  const QueryTable queries{64};
  for (const IncidentKind kind :
       {IncidentKind::kDeadlock, IncidentKind::kUniqueViolation, IncidentKind::kClientCancel}) {
    EXPECT_EQ(Probe("serialization_failure").judge(incident(kind), queries).said(queries), "");
  }
}

}  // namespace
}  // namespace ectoscope
