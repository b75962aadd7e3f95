// Snapshots by hand: what the daemon would publish, the hostile included.
#pragma once

#include <string>

#include "core/alerting_state.h"
#include "core/plan.h"
#include "core/snapshot.h"
#include "tests/outputs/sample.h"

namespace ectoscope {

inline constexpr const char* kHostile = "<script>alert(1)</script>\"'&\x1b[31m\xE2\x80\xAE";

inline std::shared_ptr<const Plan> sample_plan() {
  auto plan = std::make_shared<Plan>();
  plan->analyzed = true;
  plan->duration = Micros(81'000);
  PlanNode limit;
  limit.type = PlanNodeType::kLimit;
  limit.name = "Limit";
  limit.loops = 1;
  limit.rows = 10;
  limit.total_ms = 81;
  limit.timed = true;
  limit.total_cost = 5624;
  PlanNode scan = limit;
  scan.parent = 0;
  scan.depth = 1;
  scan.type = PlanNodeType::kSeqScan;
  scan.name = "Seq Scan";
  scan.relation = "posts";
  scan.filter.text = std::string("(title = ?) ") + kHostile;
  scan.removed_by_filter = 199'990;
  scan.total_ms = 80.9;
  scan.plan_rows = 1;
  scan.rows = 1000;
  plan->nodes = {limit, scan};
  plan->triggers = {{"", "items_order_id_fkey", "orders", 12.5, 3}};
  return plan;
}

inline std::shared_ptr<TrackedFinding> sample_tracked() {
  auto tracked = std::make_shared<TrackedFinding>();
  tracked->finding = sample_n_plus_one(1, 2);
  tracked->finding.timeline.push_back({3, Micros(20'000), Micros(400)});
  tracked->finding.fix.migration = "create index(:posts, [:user_id], concurrently: true)";
  tracked->finding.fix.verified = Verification{Verification::By::kHypopg, 5624, 28.6};
  tracked->finding.plan = sample_plan();
  tracked->shape_names = {{1, "SELECT users"}, {2, "SELECT posts"}, {3, "UPDATE sessions"}};
  tracked->total_occurrences = 4711;
  tracked->live = true;
  tracked->team = "checkout";
  return tracked;
}

inline std::shared_ptr<TrackedFinding> hostile_tracked() {
  auto tracked = std::make_shared<TrackedFinding>();
  Finding& finding = tracked->finding;
  finding.id = "slow_query-00000000000000ff";
  finding.kind = "slow_query";
  finding.severity = Severity::kInfo;
  finding.server = "main";
  finding.database = kHostile;
  finding.applications = {kHostile};
  finding.routes = {{kHostile, 3}};
  finding.tables = {kHostile};
  finding.summary = std::string("slow: ") + kHostile;
  finding.query = {"00000000000000ff", std::nullopt, std::string("SELECT ") + kHostile, kHostile};
  finding.fix.ecto = kHostile;
  finding.first_seen = finding.last_seen = sample_time(0);
  finding.occurrences = 1;
  finding.database_time = Micros(100);
  tracked->team = kHostile;
  tracked->acknowledged_at = sample_time(1000);
  tracked->acknowledged_by = kHostile;
  tracked->acknowledged_why = kHostile;
  return tracked;
}

inline ServerState sample_server() {
  ServerState server;
  server.server = "main";
  server.up = true;
  server.bytes = 12'400'000;
  server.records = 15'000;
  server.dropped = {{"forged", 2}};
  server.lag_seconds = 0.25;
  server.traces = {300, 0, 4, 20, 0};
  server.open_traces = 7;
  StatementCounts counts;
  counts.database = "shop_dev";
  counts.operation = Operation::kSelect;
  for (int i = 0; i < 20; ++i)
    counts.durations.add(Micros(600 * (i + 1)));
  server.statements = {counts};
  server.excess_statements = 1188;
  server.excess_seconds = 0.29;
  server.detector_seconds = {{"n_plus_one_read", 0.012}};
  server.occurrences = {{{"shop_dev", "n_plus_one_read"}, 12}};
  server.ignored = {{{"shop_dev", "slow_query"}, 3}};
  server.fidelity = {InputFidelity::Statements::kSlowOnly,
                     true,
                     false,
                     InputFidelity::TraceIds::kStale,
                     {"ALTER SYSTEM SET log_min_duration_statement = 0"}};
  return server;
}

inline std::shared_ptr<AlertingState> sample_alerting() {
  auto alerting = std::make_shared<AlertingState>();
  alerting->firing = {
      std::make_shared<const AlertLabels>(AlertLabels{{"alertname", "EctoscopeFinding"},
                                                      {"id", "n_plus_one_read-5f0c2a9e7d3b1c44"},
                                                      {"kind", "n_plus_one_read"},
                                                      {"severity", "warning"},
                                                      {"server", "main"},
                                                      {"database", "shop_dev"},
                                                      {"table", "posts"},
                                                      {"team", "checkout"}})};
  alerting->alertmanagers = {{"http://am-1:9093", true, "", 0, 12, 0, {}},
                             {"http://am-2:9093",
                              false,
                              "http://am-2:9093: Connection refused",
                              3,
                              0,
                              7,
                              {{"refused", 2}}}};
  return alerting;
}

inline std::shared_ptr<Snapshot> sample_snapshot() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->taken_at = sample_time(62'000);
  snapshot->ready = true;
  auto resolved = sample_tracked();
  resolved->finding.id = "n_plus_one_read-00000000000000aa";
  resolved->active = false;
  resolved->resolved_at = sample_time(61'500);
  snapshot->findings = {sample_tracked(), resolved, hostile_tracked()};
  auto query = std::make_shared<QueryStatistics>();
  query->server = "main";
  query->database = "shop_dev";
  query->query = snapshot->findings[0]->finding.query;
  query->operation = Operation::kSelect;
  query->durations = sample_server().statements[0].durations;
  query->max = Micros(12'000);
  auto hostile = std::make_shared<QueryStatistics>(*query);
  hostile->query.text = kHostile;
  hostile->query.summary = kHostile;
  snapshot->queries = {query, hostile};
  snapshot->sources = {{"main", "/var/log/postgresql/main.log", true, "", 100, 200, sample_time(1)},
                       {"main", kHostile, false, kHostile, 0, 0, std::nullopt}};
  snapshot->servers = {sample_server()};
  snapshot->last_reload_at = sample_time(0);
  snapshot->alerting = sample_alerting();
  return snapshot;
}

/// `count` findings of which each costs less than the one before.
inline std::shared_ptr<Snapshot> large_snapshot(size_t count) {
  auto snapshot = sample_snapshot();
  snapshot->findings.clear();
  const auto base = sample_tracked();
  for (size_t i = 0; i < count; ++i) {
    auto tracked = std::make_shared<TrackedFinding>(*base);
    std::string number = std::to_string(i);
    number.insert(0, 16 - number.size(), '0');
    tracked->finding.id = "n_plus_one_read-" + number;
    tracked->finding.database = "tenant_" + std::to_string(i % 5000);
    tracked->finding.database_time = Micros(static_cast<int64_t>(count - i) * 1000);
    snapshot->findings.push_back(std::move(tracked));
  }
  return snapshot;
}

}  // namespace ectoscope
