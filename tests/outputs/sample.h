// A report with everything in it that a report can have, the hostile too.
#pragma once

#include "core/plan.h"
#include "core/query.h"
#include "core/report.h"

namespace ectoscope {

inline EventTime sample_time(int64_t ms) {
  return EventTime(Micros(1'795'300'000'000'000 + ms * 1000));
}

inline Finding sample_n_plus_one(QueryId parent, QueryId child) {
  Finding finding;
  finding.id = "n_plus_one_read-5f0c2a9e7d3b1c44";
  finding.kind = "n_plus_one_read";
  finding.severity = Severity::kCritical;
  finding.confidence = 0.97;
  finding.server = "main";
  finding.database = "shop_dev";
  finding.applications = {"admin", "shop"};
  finding.routes = {{"UserController.index", 12}, {"/users/:id", 3}, {"a", 2}, {"b", 1}, {"c", 1}};
  finding.places = {{"lib/shop/users.ex:12", 11}, {"lib/shop/<admin>.ex", 1}};
  finding.summary =
      "posts is read 100 times a request by user_id, once for each row of users, in 12 requests: "
      "1,188 of 1,200 statements could be spared";
  finding.query_id = child;
  finding.parent_id = parent;
  finding.query = {"00f3a0b1c2d3e4f5", -3796518861162747401,
                   "SELECT p0.\"id\", p0.\"title\", p0.\"body\", p0.\"status\", p0.\"user_id\", "
                   "p0.\"inserted_at\" FROM \"posts\" AS p0 WHERE (p0.\"user_id\" = $1)",
                   "SELECT posts"};
  finding.parent_query =
      QueryFacts{"1111111111111111", std::nullopt, "SELECT u0.\"id\" FROM \"users\" AS u0 LIMIT $1",
                 "SELECT users"};
  finding.tables = {"posts"};
  finding.columns = {"posts.user_id"};
  finding.occurrences = 12;
  finding.first_seen = sample_time(0);
  finding.last_seen = sample_time(61'000);
  finding.statements = 1200;
  finding.excess_statements = 1188;
  finding.database_time = Micros(310'200);
  finding.saved = Micros(290'000);
  finding.evidence = {{"distinct_ratio", 1.0}, {"repeats_max", 100}, {"tenth_ratio", 0.1}};
  finding.fix.advice = "Load the posts of all users with one query.";
  finding.fix.ecto = "users = Repo.all(User)\nRepo.preload(users, :posts)";
  finding.fix.index = IndexAdvice{"posts", {"user_id", "inserted_at"}, {"asc", "desc"}, {}, {}};
  finding.examples = {{TraceId{0x4bf92f3577b34da6, 0xa3ce929d0e0e4736},
                       GroupedBy::kTraceparent,
                       sample_time(0),
                       sample_time(33),
                       {812, 813},
                       101,
                       Micros(33'100),
                       {}},
                      {TraceId{},
                       GroupedBy::kChain,
                       sample_time(61'000),
                       sample_time(61'000),
                       {},
                       6,
                       Micros(9),
                       {}}};
  finding.timeline.push_back({parent, Micros(0), Micros(2000)});
  for (int i = 0; i < 30; ++i)
    finding.timeline.push_back({child, Micros(2200 + i * 300), Micros(250)});
  return finding;
}

inline std::shared_ptr<const Plan> sample_walk() {
  Plan plan;
  plan.analyzed = plan.buffers = true;
  plan.duration = Micros(1'240'000);
  plan.values = PlanValues::kGeneric;
  plan.nodes.resize(2);
  PlanNode& limit = plan.nodes[0];
  limit.type = PlanNodeType::kLimit;
  limit.name = "Limit";
  limit.total_ms = 1239;
  limit.rows = 1;
  limit.loops = 1;
  limit.timed = true;
  PlanNode& scan = plan.nodes[1];
  scan = limit;
  scan.parent = 0;
  scan.depth = 1;
  scan.type = PlanNodeType::kIndexScan;
  scan.name = "Index Scan";
  scan.index = "a\nb_pkey";
  scan.relation = "a\nb";
  scan.total_ms = 1238.5;
  scan.plan_rows = 20;
  scan.removed_by_filter = 1'200'000;
  scan.blocks_read = 22'201;
  scan.filter.text = "(workspace_id = $1)";
  return std::make_shared<const Plan>(std::move(plan));
}

inline AnalysisReport sample_report(QueryTable& queries) {
  Query users;
  users.summary = "SELECT users";
  Query posts;
  posts.summary = "SELECT posts";
  const QueryId parent = queries.add(users);
  const QueryId child = queries.add(posts);

  Finding slow;
  slow.id = "slow_query-0000000000000001";
  slow.kind = "slow_query";
  slow.server = "main";
  slow.summary = "SELECT \x1b[31mred\x07 took 1.25 s at most \xE2\x80\xAE and \xFF";
  slow.query.fingerprint = "0000000000000001";
  slow.query.text = "SELECT \x1b]0;title\x07 1 FROM \"a\nb\"";
  slow.query.summary = "SELECT \"x\\y\"";
  slow.occurrences = 1;
  slow.first_seen = slow.last_seen = sample_time(5);
  slow.statements = 1;
  slow.database_time = Micros(1'250'000);

  slow.plan = sample_walk();
  slow.examples = {{TraceId{},
                    GroupedBy::kNone,
                    sample_time(5),
                    sample_time(1255),
                    {812},
                    1,
                    Micros(1'250'000),
                    {}}};
  slow.fix.verified = Verification{Verification::By::kPlan, 0, 0};

  AnalysisReport report;
  report.input.bytes = 12'400'000;
  report.input.records = 15'000;
  report.input.statements = 5216;
  report.input.traces = 324;
  report.input.unparsed = {{"forged", 2}, {"too_long", 1}};
  report.input.fidelity = {InputFidelity::Statements::kSampled,
                           true,
                           false,
                           InputFidelity::TraceIds::kStale,
                           {"ALTER SYSTEM SET log_min_duration_statement = 0; -- faster statements "
                            "are not in this log, so no N+1 can be seen among them",
                            "prepare: :unnamed"}};
  report.findings = {sample_n_plus_one(parent, child), slow};
  return report;
}

}  // namespace ectoscope
