#include "daemon/growth.h"

#include <algorithm>
#include <tuple>

#include "advice/ecto_fix.h"
#include "config/config.h"
#include "detectors/support/repeats.h"
#include "detectors/support/wording.h"
#include "findings/identity.h"

namespace ectoscope {
namespace {

Remedy remedy_of(const Query& query) {
  switch (query.operation) {
    case Operation::kSelect:
      return query.aggregate ? Remedy::kGroupBy : Remedy::kPreload;
    case Operation::kInsert:
      return query.on_conflict ? Remedy::kUpsertAll : Remedy::kInsertAll;
    case Operation::kUpdate:
      return Remedy::kUpdateAll;
    case Operation::kDelete:
      return Remedy::kDeleteAll;
    default:
      return Remedy::kNone;
  }
}

Example example_of(const Trace& trace, const std::vector<uint32_t>& at) {
  Example example;
  if (trace.grouped_by == GroupedBy::kTraceparent) example.trace_id = trace.id;
  example.grouped_by = trace.grouped_by;
  example.started_at = trace.executions[at.front()].started_at;
  for (const uint32_t i : at) {
    const Execution& execution = trace.executions[i];
    example.started_at = std::min(example.started_at, execution.started_at);
    example.ended_at = std::max(example.ended_at, execution.ended_at);
    if (execution.pid != 0) example.pids.push_back(execution.pid);
  }
  std::sort(example.pids.begin(), example.pids.end());
  example.pids.erase(std::unique(example.pids.begin(), example.pids.end()), example.pids.end());
  example.statements = at.size();
  example.duration = example.ended_at - example.started_at;
  return example;
}

Finding describe(const GrowthCounter& large, const std::string& database,
                 const GrowthCounter::Count& before, const GrowthCounter::Count& after,
                 bool in_traces) {
  const QueryTable& queries = large.queries();
  const Query& query = queries[after.query];
  const Query* parent = after.parent == kNoQuery ? nullptr : &queries[after.parent];
  Finding finding;
  finding.kind = kScaleKind;
  // Without the parent: that may be another one with less data.
  finding.id = finding_id({kScaleKind, after.server, database, query.canonical, {}});
  finding.severity = Severity::kWarning;
  finding.confidence = in_traces ? 0.95 : 0.7;
  finding.server = after.server;
  finding.database = database;
  if (!after.application.empty()) finding.applications = {after.application};
  finding.query_id = after.query;
  finding.query = query_facts(query);
  if (parent != nullptr) {
    finding.parent_id = after.parent;
    finding.parent_query = query_facts(*parent);
  }
  finding.tables = query.tables;
  if (!query.key_table.empty() && !query.key_column.empty()) {
    finding.columns = {query.key_table + "." + query.key_column};
  }
  const uint64_t less = in_traces ? before.most : before.executions - before.in_traces;
  const uint64_t more = in_traces ? after.most : after.executions - after.in_traces;
  finding.summary = query.summary + " ran " + counted(less, "time", "times") +
                    (in_traces ? " in one request" : " in all") + " with less data and " +
                    counted(more, "time", "times") + " with more: its count grows with the data.";
  finding.occurrences = 1;
  finding.first_seen = after.first_seen;
  finding.last_seen = after.last_seen;
  finding.statements = more;
  finding.excess_statements = more - 1;
  finding.database_time = after.duration;
  finding.evidence["count_before"] = static_cast<double>(less);
  finding.evidence["count_after"] = static_cast<double>(more);
  finding.fix = advise(remedy_of(query), query, parent);
  if (in_traces) finding.examples = {after.example};
  return finding;
}

}  // namespace

bool GrowthCounter::counted(const Execution& execution) const {
  const Query& query = queries_[execution.query];
  return !execution.has(Execution::kFetch) && !execution.has(Execution::kPlanOnly) &&
         !query.system && query.transaction == TransactionVerb::kNone && query.inserted_rows <= 1;
}

GrowthCounter::Count& GrowthCounter::count_of(QueryId query, StreamId stream) {
  const Stream& of = streams_[stream];
  Count& count = counts_[{of.database, queries_[query].canonical}];
  count.query = query;
  count.server = of.server;
  if (count.application.empty()) count.application = of.application;
  return count;
}

void GrowthCounter::add(const Execution& execution) {
  if (!counted(execution)) return;
  Count& count = count_of(execution.query, execution.stream);
  if (count.executions == 0) count.first_seen = execution.started_at;
  ++count.executions;
  count.duration += execution.duration;
  count.first_seen = std::min(count.first_seen, execution.started_at);
  count.last_seen = std::max(count.last_seen, execution.ended_at);
}

void GrowthCounter::add(const Trace& trace) {
  const bool bounded = trace.grouped_by == GroupedBy::kTraceparent ||
                       trace.grouped_by == GroupedBy::kTag ||
                       trace.grouped_by == GroupedBy::kTransaction;
  if (!bounded || !trace.closed) return;
  const bool sandbox = is_sandbox(trace, queries_);
  for (Repeats& repeats : repeats_of(trace, queries_, 1)) {
    std::erase_if(repeats.at, [&](uint32_t i) { return !counted(trace.executions[i]); });
    if (repeats.at.empty()) continue;
    Count& count = count_of(repeats.query, trace.stream);
    measure(trace, queries_, repeats);
    count.in_traces += repeats.count;
    if (sandbox && queries_[repeats.query].operation == Operation::kInsert) {
      drop_fixtures(trace, queries_, repeats);
      measure(trace, queries_, repeats);
    }
    if (repeats.at.empty() || repeats.count <= count.most) continue;
    count.most = repeats.count;
    count.example = example_of(trace, repeats.at);
    uint32_t parent = 0;
    count.parent = find_parent(trace, queries_, repeats, &parent);
  }
}

std::vector<Finding> compare_growth(const GrowthCounter& small, const GrowthCounter& large) {
  std::vector<Finding> findings;
  for (const auto& [key, after] : large.counts()) {
    const auto before = small.counts().find(key);
    if (before == small.counts().end()) continue;
    const GrowthCounter::Count& less = before->second;
    const auto outside = [](const GrowthCounter::Count& it) {
      return it.executions - std::min(it.executions, it.in_traces);
    };
    if (less.most > 0 && after.most > less.most) {
      findings.push_back(describe(large, key.first, less, after, true));
    } else if (outside(less) > 0 && outside(after) > outside(less)) {
      findings.push_back(describe(large, key.first, less, after, false));
    }
  }
  std::sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(b.statements, a.id) < std::tie(a.statements, b.id);
  });
  return findings;
}

}  // namespace ectoscope
