#include "incident_builder.h"

namespace ectoscope {
namespace {

TEST(ConstraintViolation, NamesTheConstraintAndItsColumns) {
  QueryTable queries{64};
  Incident one = incident(IncidentKind::kUniqueViolation, queries.add(insert("users")));
  one.constraint = "users_org_id_email_index";
  one.columns = "org_id, email";
  Probe probe("constraint_violation");
  probe.judge(one, queries);
  ASSERT_EQ(probe.said(queries), "insert users x1: info");
  EXPECT_EQ(probe.observations[0].constraint, "users_org_id_email_index");
  EXPECT_EQ(probe.observations[0].columns,
            (std::vector<std::string>{"users.org_id", "users.email"}));
}

TEST(ConstraintViolation, RefusedDuplicatesAreANote) {
  QueryTable queries{64};
  const QueryId query = queries.add(insert("users"));
  const struct {
    IncidentKind kind;
    const char* said;
  } cases[] = {
      {IncidentKind::kUniqueViolation, "insert users x1: info"},
      {IncidentKind::kExclusionViolation, "insert users x1: info"},
      {IncidentKind::kForeignKeyViolation, "insert users x1"},
      {IncidentKind::kNotNullViolation, "insert users x1"},
      {IncidentKind::kCheckViolation, "insert users x1"},
      {IncidentKind::kOtherViolation, "insert users x1"},
      {IncidentKind::kDeadlock, ""},
      {IncidentKind::kNoSlots, ""},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(Probe("constraint_violation").judge(incident(one.kind, query), queries).said(queries),
              one.said)
        << static_cast<int>(one.kind);
  }
}

TEST(ConstraintViolation, ManyOfOneStatementAreAWarning) {
  QueryTable queries{64};
  const QueryId query = queries.add(insert("users"));
  Probe probe("constraint_violation", {{"warning_count", 3}});
  for (int i = 0; i < 3; ++i)
    probe.judge(incident(IncidentKind::kUniqueViolation, query), queries);
  EXPECT_EQ(probe.said(queries), "insert users x1: info\ninsert users x1: info\ninsert users x1");
}

}  // namespace
}  // namespace ectoscope
