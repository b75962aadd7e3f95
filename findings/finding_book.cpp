#include "findings/finding_book.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/hash.h"
#include "findings/hex.h"
#include "findings/identity.h"

namespace ectoscope {
namespace {

/// A named statement keeps the comment of the request that prepared it.
bool trace_id_is_own(const Execution& execution) {
  return !execution.has(Execution::kNamed) || execution.has(Execution::kParsedNow);
}

Example example_of(const Observation& observation, const Trace& trace) {
  Example example;
  if (trace.grouped_by == GroupedBy::kTraceparent) example.trace_id = trace.id;
  example.grouped_by = trace.grouped_by;
  example.started_at = observation.started_at;
  example.ended_at = observation.ended_at;
  example.pids = observation.pids;
  example.statements = observation.statements;
  example.duration = observation.ended_at - observation.started_at;
  return example;
}

Example example_of(const Observation& observation, const Execution& execution) {
  Example example;
  if (execution.trace_id.known() && trace_id_is_own(execution)) {
    example.trace_id = execution.trace_id;
    example.grouped_by = GroupedBy::kTraceparent;
  }
  example.started_at = execution.started_at;
  example.ended_at = execution.ended_at;
  example.pids = observation.pids;
  if (example.pids.empty() && execution.pid != 0) example.pids.push_back(execution.pid);
  example.statements = 1;
  example.duration = execution.duration;
  return example;
}

/// Of an incident: it stands for itself.
Example example_of(const Observation& observation) {
  Example example;
  example.started_at = observation.started_at;
  example.ended_at = observation.ended_at;
  example.pids = observation.pids;
  example.statements = observation.statements;
  example.duration = observation.ended_at - observation.started_at;
  return example;
}

void add_column(const std::string& table, const std::string& column,
                std::vector<std::string>& columns) {
  if (table.empty() || column.empty()) return;
  std::string name = table + "." + column;
  if (std::find(columns.begin(), columns.end(), name) == columns.end()) {
    columns.push_back(std::move(name));
  }
}

}  // namespace

FindingBook::FindingBook(const QueryTable& queries, FindingLimits limits, FindingHooks hooks)
    : queries_(queries), limits_(limits), hooks_(std::move(hooks)) {}

std::string_view FindingBook::canonical(QueryId id) const {
  return id == kNoQuery ? std::string_view{} : std::string_view(queries_[id].canonical);
}

uint64_t FindingBook::place_of(const DetectorEntry& entry, const Observation& observation,
                               const Stream& stream) const {
  const std::hash<std::string_view> hash;
  uint64_t place = hash(entry.name);
  for (const std::string_view field :
       {canonical(observation.query), std::string_view(stream.database),
        std::string_view(stream.server)}) {
    place = mix_hash(place, hash(field));
  }
  return place;
}

std::optional<size_t> FindingBook::problem_of(const DetectorEntry& entry,
                                              const Observation& observation,
                                              const Stream& stream) {
  std::string id = finding_id({entry.name, stream.server, stream.database,
                               canonical(observation.query), canonical(observation.parent)});
  if (const auto known = by_id_.find(id); known != by_id_.end()) return known->second;
  if (problems_.size() >= limits_.findings) {
    ++dropped_;
    return std::nullopt;
  }
  by_id_.emplace(id, problems_.size());
  problems_.push_back({std::move(id), &entry, stream.server, stream.database, observation.query,
                       observation.parent, FindingTotals(limits_.examples)});
  return problems_.size() - 1;
}

std::vector<TimelineStep> FindingBook::timeline_of(const Trace& trace,
                                                   const Observation& observation) const {
  std::vector<TimelineStep> steps;
  for (const Execution& execution : trace.executions) {
    if (execution.started_at < observation.started_at ||
        execution.ended_at > observation.ended_at) {
      continue;
    }
    if (steps.size() == limits_.timeline) break;
    steps.push_back(
        {execution.query, execution.started_at - observation.started_at, execution.duration});
  }
  return steps;
}

void FindingBook::settle(uint64_t trace_number) {
  const auto of_trace = open_.find(trace_number);
  if (of_trace == open_.end()) return;
  for (const Open& open : of_trace->second)
    problems_[open.problem].totals.add(open.occurred);
  open_.erase(of_trace);
}

/// Calls for `trace` begin: the one before is done with if it was closed.
void FindingBook::turn_to(const Trace& trace) {
  if (closing_ && *closing_ != trace.number) settle(*closing_);
  closing_.reset();
  if (trace.closed) closing_ = trace.number;
}

void FindingBook::begin_judgement(const Trace& trace) {
  turn_to(trace);
  open_.erase(trace.number);
  ++judgement_;
}

void FindingBook::add(const DetectorEntry& entry, Observation observation, const Trace* trace,
                      const Execution* execution, const Stream& stream, std::string_view route,
                      std::string_view place) {
  const std::optional<size_t> index = problem_of(entry, observation, stream);
  const uint64_t counted_under = place_of(entry, observation, stream);
  if (!index) return;
  FindingTotals& totals = problems_[*index].totals;
  Occurred occurred;
  occurred.application = stream.application;
  occurred.route = route;
  occurred.place = place;
  if (trace == nullptr) {
    occurred.example =
        execution == nullptr ? example_of(observation) : example_of(observation, *execution);
    occurred.timed = execution != nullptr;
    occurred.observation = std::move(observation);
    totals.add(occurred);
    return;
  }
  occurred.example = example_of(observation, *trace);
  if (totals.would_be_worst({occurred.example, observation.repeats})) {
    occurred.timeline = timeline_of(*trace, observation);
  }
  occurred.observation = std::move(observation);
  add_to_trace(*trace, {counted_under, judgement_, *index, std::move(occurred)});
}

void FindingBook::add_sampled(const DetectorEntry& entry, Observation observation,
                              uint64_t executions, const Stream& stream) {
  const std::optional<size_t> index = problem_of(entry, observation, stream);
  if (!index || executions == 0) return;
  Occurred occurred;
  occurred.application = stream.application;
  occurred.example = example_of(observation);
  // The window's length says nothing; the mean does.
  occurred.example.duration = observation.database_time / static_cast<int64_t>(executions);
  occurred.count = executions;
  occurred.observation = std::move(observation);
  problems_[*index].totals.add(occurred);
}

void FindingBook::add_to_trace(const Trace& trace, Open open) {
  turn_to(trace);
  auto& of_trace = open_[trace.number];
  const auto earlier = std::find_if(of_trace.begin(), of_trace.end(),
                                    [&](const Open& it) { return it.place == open.place; });
  if (earlier == of_trace.end()) {
    of_trace.push_back(std::move(open));
  } else {
    const bool same_judgement = judgement_ != 0 && earlier->judgement == judgement_;
    const uint64_t repeats = open.occurred.observation.repeats;
    if (same_judgement && repeats <= earlier->occurred.observation.repeats) return;
    *earlier = std::move(open);
  }
  // Grouping keeps fewer traces open than this, so the oldest is not going to be judged again.
  if (open_.size() > limits_.open_traces) settle(open_.begin()->first);
}

QueryFacts FindingBook::facts_of(QueryId id) const {
  QueryFacts facts = query_facts(queries_[id]);
  if (hooks_.queryid) facts.queryid = hooks_.queryid(id);
  return facts;
}

Finding FindingBook::describe(const Problem& problem, const FindingTotals& totals) const {
  Finding finding;
  finding.id = problem.id;
  finding.kind = problem.entry->name;
  finding.server = problem.server;
  finding.database = problem.database;
  finding.query_id = problem.query;
  finding.parent_id = problem.parent;
  const Query* parent = problem.parent == kNoQuery ? nullptr : &queries_[problem.parent];
  if (parent != nullptr) finding.parent_query = facts_of(problem.parent);
  totals.fill(finding);
  const Observation& worst = totals.worst();
  const Query* query = problem.query == kNoQuery ? nullptr : &queries_[problem.query];
  if (query != nullptr) {
    finding.query = facts_of(problem.query);
    finding.tables = query->tables;
    if (worst.columns.empty()) {
      add_column(query->key_table, query->key_column, finding.columns);
      for (const Predicate& predicate : query->predicates)
        add_column(predicate.table, predicate.column, finding.columns);
    }
  }
  if (!worst.columns.empty()) finding.columns = worst.columns;
  if (!worst.table.empty()) {
    std::erase(finding.tables, worst.table);
    finding.tables.insert(finding.tables.begin(), worst.table);
  }
  if (hooks_.advise) {
    finding.fix = hooks_.advise({problem.entry->name, worst.remedy, query, parent, &worst});
  }
  finding.summary = problem.entry->summarize == nullptr ? std::string(problem.entry->title)
                                                        : problem.entry->summarize(finding);
  return finding;
}

std::vector<Finding> FindingBook::findings() const {
  std::map<size_t, std::vector<const Occurred*>> still_open;  // by problem, in order of traces
  for (const auto& [number, of_trace] : open_) {
    for (const Open& open : of_trace)
      still_open[open.problem].push_back(&open.occurred);
  }
  std::vector<Finding> findings;
  for (size_t i = 0; i < problems_.size(); ++i) {
    const Problem& problem = problems_[i];
    if (const auto open = still_open.find(i); open != still_open.end()) {
      FindingTotals totals = problem.totals;
      for (const Occurred* occurred : open->second)
        totals.add(*occurred);
      findings.push_back(describe(problem, totals));
    } else if (problem.totals.occurrences() > 0) {
      findings.push_back(describe(problem, problem.totals));
    }
  }
  std::sort(findings.begin(), findings.end(), [](const Finding& left, const Finding& right) {
    return std::tuple(right.saved, right.database_time, left.id) <
           std::tuple(left.saved, left.database_time, right.id);
  });
  return findings;
}

}  // namespace ectoscope
