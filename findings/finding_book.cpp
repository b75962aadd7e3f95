#include "findings/finding_book.h"

#include <algorithm>
#include <numeric>
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
  example.statements = observation.statements + observation.leading;
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
  example.trace_id = observation.trace_id;
  if (example.trace_id.known()) example.grouped_by = GroupedBy::kTraceparent;
  example.started_at = observation.started_at;
  example.ended_at = observation.ended_at;
  example.pids = observation.pids;
  example.statements = observation.statements;
  example.duration = observation.ended_at - observation.started_at;
  example.other = observation.other;
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

uint64_t FindingBook::place_of(const Problem& problem) const {
  const std::hash<std::string_view> hash;
  uint64_t place = hash(problem.entry->name);
  for (const std::string_view field : {canonical(problem.query), std::string_view(problem.database),
                                       std::string_view(problem.server)}) {
    place = mix_hash(place, hash(field));
  }
  return place;
}

/// A finding's id is a SHA-256 over long texts: of what was seen just now it need not be made
/// again.
std::optional<size_t> FindingBook::problem_of(const DetectorEntry& entry,
                                              const Observation& observation,
                                              const Stream& stream) {
  size_t& recent =
      recent_[mix_hash(mix_hash(std::hash<std::string_view>{}(entry.name), observation.query),
                       observation.parent) %
              recent_.size()];
  if (recent < problems_.size()) {
    const Problem& problem = problems_[recent];
    if (problem.entry == &entry && problem.query == observation.query &&
        problem.parent == observation.parent && problem.server == stream.server &&
        problem.database == stream.database)
      return recent;
  }
  const std::optional<size_t> found = find_or_add(entry, observation, stream);
  if (found) recent = *found;
  return found;
}

std::optional<size_t> FindingBook::find_or_add(const DetectorEntry& entry,
                                               const Observation& observation,
                                               const Stream& stream) {
  std::string id = finding_id({entry.name, stream.server, stream.database,
                               canonical(observation.query), canonical(observation.parent)});
  if (const auto known = by_id_.find(id); known != by_id_.end()) return known->second;
  if (by_id_.size() >= limits_.findings) {
    const auto leaves = watchers_.make_room ? watchers_.make_room() : std::nullopt;
    if (leaves) forget(*leaves);
  }
  if (by_id_.size() >= limits_.findings) {
    ++dropped_;
    return std::nullopt;
  }
  Problem problem{id,
                  &entry,
                  stream.server,
                  stream.database,
                  observation.query,
                  observation.parent,
                  FindingTotals(limits_.examples)};
  return place(std::move(problem));
}

size_t FindingBook::place(Problem problem) {
  problem.place = place_of(problem);
  const size_t at = free_.empty() ? problems_.size() : free_.back();
  by_id_.emplace(problem.id, at);
  if (free_.empty()) {
    problems_.push_back(std::move(problem));
  } else {
    free_.pop_back();
    problems_[at] = std::move(problem);
  }
  return at;
}

void FindingBook::restore(const std::string& id, const Known& known) {
  if (by_id_.contains(id) || by_id_.size() >= limits_.findings) return;
  changed_.insert(place(
      {id, &known.entry, known.server, known.database, known.query, known.parent, known.totals}));
}

void FindingBook::forget(const std::string& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  const size_t at = found->second;
  by_id_.erase(found);
  for (auto& [number, of_trace] : open_)
    std::erase_if(of_trace, [at](const Open& open) { return open.problem == at; });
  problems_[at].entry = nullptr;
  problems_[at].totals = FindingTotals(limits_.examples);
  changed_.erase(at);
  free_.push_back(at);
}

std::vector<std::string> FindingBook::take_changes() {
  std::vector<std::string> ids;
  for (const size_t problem : changed_)
    ids.push_back(problems_[problem].id);
  changed_.clear();
  return ids;
}

std::optional<FindingBook::Known> FindingBook::known(const std::string& id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  const Problem& problem = problems_[found->second];
  return Known{*problem.entry, problem.server, problem.database,
               problem.query,  problem.parent, problem.totals};
}

void FindingBook::count(size_t problem, const Occurred& occurred) {
  problems_[problem].totals.add(occurred);
  changed_.insert(problem);
  if (watchers_.counted) watchers_.counted(problems_[problem].id, occurred);
}

void FindingBook::settle_closed() {
  if (closing_) settle(*closing_);
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
    count(open.problem, open.occurred);
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
  if (const auto before = open_.find(trace.number); before != open_.end()) {
    for (const Open& open : before->second)
      changed_.insert(open.problem);
    open_.erase(before);
  }
  ++judgement_;
}

void FindingBook::add(const DetectorEntry& entry, Observation observation,
                      const Occasion& occasion) {
  const std::optional<size_t> index = problem_of(entry, observation, occasion.stream);
  if (!index) return;
  const Problem& problem = problems_[*index];
  Occurred occurred;
  occurred.application = occasion.stream.application;
  occurred.route = occasion.route;
  occurred.place = occasion.place;
  if (occasion.trace == nullptr) {
    occurred.example = occasion.execution == nullptr ? example_of(observation)
                                                     : example_of(observation, *occasion.execution);
    occurred.timed = occasion.execution != nullptr;
    occurred.observation = std::move(observation);
    count(*index, occurred);
    return;
  }
  occurred.example = example_of(observation, *occasion.trace);
  if (problem.totals.would_be_worst({occurred.example, observation.repeats})) {
    occurred.timeline = timeline_of(*occasion.trace, observation);
  }
  occurred.observation = std::move(observation);
  add_to_trace(*occasion.trace, {problem.place, judgement_, *index, std::move(occurred)});
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
  count(*index, occurred);
}

void FindingBook::amend(const DetectorEntry& entry, const Amendment& amendment,
                        const Stream& stream) {
  const auto known = by_id_.find(finding_id({entry.name, stream.server, stream.database,
                                             canonical(amendment.query), std::string_view{}}));
  if (known == by_id_.end()) return;
  problems_[known->second].totals.amend(amendment);
  changed_.insert(known->second);
}

void FindingBook::add_to_trace(const Trace& trace, Open open) {
  turn_to(trace);
  changed_.insert(open.problem);
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

QueryFacts FindingBook::facts_of(QueryId id, const std::string& database) const {
  QueryFacts facts = query_facts(queries_[id]);
  if (hooks_.queryid) facts.queryid = hooks_.queryid(id, database);
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
  if (parent != nullptr) finding.parent_query = facts_of(problem.parent, problem.database);
  totals.fill(finding);
  const Observation& worst = totals.worst();
  const Query* query = problem.query == kNoQuery ? nullptr : &queries_[problem.query];
  if (query != nullptr) {
    finding.query = facts_of(problem.query, problem.database);
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
    finding.fix =
        hooks_.advise({problem.entry->name, worst.remedy, query, parent, &worst}, problem.database);
  }
  finding.summary = problem.entry->summarize == nullptr ? std::string(problem.entry->title)
                                                        : problem.entry->summarize(finding);
  return finding;
}

std::vector<Finding> FindingBook::describe(std::vector<size_t> problems) const {
  std::sort(problems.begin(), problems.end());
  std::map<size_t, std::vector<const Occurred*>> still_open;  // by problem, in order of traces
  for (const auto& [number, of_trace] : open_) {
    for (const Open& open : of_trace)
      still_open[open.problem].push_back(&open.occurred);
  }
  std::vector<Finding> findings;
  for (const size_t i : problems) {
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
  return findings;
}

std::vector<Finding> FindingBook::findings(std::span<const std::string> ids) const {
  std::vector<size_t> problems;
  for (const std::string& id : ids) {
    if (const auto found = by_id_.find(id); found != by_id_.end())
      problems.push_back(found->second);
  }
  return describe(std::move(problems));
}

std::vector<Finding> FindingBook::findings() const {
  std::vector<size_t> problems(problems_.size());
  std::iota(problems.begin(), problems.end(), size_t{0});
  std::vector<Finding> findings = describe(std::move(problems));
  std::sort(findings.begin(), findings.end(), [](const Finding& left, const Finding& right) {
    return std::tuple(right.saved, right.database_time, left.id) <
           std::tuple(left.saved, left.database_time, right.id);
  });
  return findings;
}

}  // namespace ectoscope
