#include "detectors/support/repeats.h"

#include <algorithm>
#include <map>

#include "core/near_miss.h"

namespace ectoscope {
namespace {

constexpr Micros kStampSlack{1'000};  // stamps have milliseconds
constexpr uint32_t kNowhere = UINT32_MAX;

uint64_t key_of(const Execution& execution, const Query& query) {
  return query.operation == Operation::kInsert ? execution.parameters_hash : execution.key_hash;
}

bool judged(const Query& query, Operation operation) {
  if (query.system) return false;
  return operation == Operation::kOther ? is_write(query.operation) : query.operation == operation;
}

/// Whether names say that the child's key comes from the parent's rows.
bool related(const Query& parent, const Query& child) {
  if (parent.tables.empty() || child.tables.empty()) return false;
  if (refers_to(child.key_column, parent.tables[0])) return true;
  if (child.key_column != "id") return false;
  if (child.operation != Operation::kSelect) return parent.tables[0] == child.tables[0];
  return names_reference(parent, child.tables[0]);
}

}  // namespace

std::vector<Repeats> repeats_of(const Trace& trace, const QueryTable& queries, uint64_t least) {
  std::vector<Repeats> all;  // by query id, as totals are
  for (const ShapeTotal& total : trace.totals) {
    if (total.executions < least || queries[total.query].system) continue;
    Repeats& repeats = all.emplace_back();
    repeats.query = total.query;
    repeats.count = total.executions;
    repeats.duration = total.duration;
    repeats.at.reserve(std::min<size_t>(total.executions, trace.executions.size()));
  }
  if (all.empty()) return all;
  for (uint32_t i = 0; i < trace.executions.size(); ++i) {
    const QueryId query = trace.executions[i].query;
    const auto entry =
        std::lower_bound(all.begin(), all.end(), query,
                         [](const Repeats& repeats, QueryId id) { return repeats.query < id; });
    if (entry != all.end() && entry->query == query) entry->at.push_back(i);
  }
  std::erase_if(all, [](const Repeats& repeats) { return repeats.at.empty(); });
  for (Repeats& repeats : all)
    measure(trace, queries, repeats);
  return all;
}

void note_few_repeats(const Trace& trace, const QueryTable& queries, uint64_t least,
                      Operation operation, Report& report) {
  for (const ShapeTotal& total : trace.totals) {
    if (total.executions < 2 || total.executions * 2 < least || total.executions >= least) continue;
    if (!judged(queries[total.query], operation)) continue;
    report.near_miss({total.query, kNoQuery, "min_repeats", static_cast<double>(total.executions),
                      static_cast<double>(least), "repeats in one request"});
  }
}

void note_unsure_repeats(const Trace& trace, const QueryTable& queries, const RepeatLimits& limits,
                         Operation operation, Report& report) {
  for (const ShapeTotal& total : trace.totals) {
    if (total.executions < limits.min_repeats || !judged(queries[total.query], operation)) continue;
    report.near_miss({total.query, kNoQuery, "min_grouping_confidence", trace.confidence,
                      limits.min_grouping_confidence,
                      "the certainty that its repeats are one request's"});
  }
}

void measure(const Trace& trace, const QueryTable& queries, Repeats& repeats) {
  std::vector<uint64_t> keys;
  keys.reserve(repeats.at.size());
  repeats.longest = Micros(0);
  repeats.keys_known = true;
  Micros kept{0};
  for (const uint32_t i : repeats.at) {
    const Execution& execution = trace.executions[i];
    repeats.longest = std::max(repeats.longest, execution.duration);
    kept += execution.duration;
    const uint64_t key = key_of(execution, queries[repeats.query]);
    if (key == 0) {
      repeats.keys_known = false;
    } else {
      keys.push_back(key);
    }
  }
  if (!trace.truncated) {
    repeats.count = repeats.at.size();
    repeats.duration = kept;
  }
  std::sort(keys.begin(), keys.end());
  repeats.distinct_keys = static_cast<size_t>(std::unique(keys.begin(), keys.end()) - keys.begin());
}

QueryId find_parent(const Trace& trace, const QueryTable& queries, Repeats& repeats,
                    uint32_t* parent) {
  *parent = kNowhere;
  if (repeats.at.size() < 2) return kNoQuery;
  const Query& child = queries[repeats.query];
  const uint32_t second = repeats.at[1];
  const EventTime before = trace.executions[second].started_at + kStampSlack;
  int best = -1;
  for (uint32_t i = 0; i < second; ++i) {
    const Execution& execution = trace.executions[i];
    const Query& query = queries[execution.query];
    if (query.operation != Operation::kSelect || query.system || execution.query == child.id)
      continue;
    if (execution.ended_at > before) continue;
    const auto total =
        std::lower_bound(trace.totals.begin(), trace.totals.end(), execution.query,
                         [](const ShapeTotal& t, QueryId id) { return t.query < id; });
    // What runs as often as the child is its sibling in a cycle, not what led to it.
    if (total != trace.totals.end() && total->query == execution.query &&
        total->executions * 2 > repeats.count)
      continue;
    const bool first_is_outside = i > repeats.at[0];
    // Between the first and the second repeat only a relative can be a parent: anything else stands
    // there by chance, as in a loop that does more than one thing.
    const bool relative = related(query, child);
    if (first_is_outside && !relative) continue;
    const int rank = relative ? 1 : 0;
    if (rank < best) continue;
    best = rank;
    *parent = i;
  }
  if (*parent == kNowhere) return kNoQuery;
  if (*parent > repeats.at[0]) {
    if (trace.truncated) {
      --repeats.count;
      repeats.duration -= trace.executions[repeats.at[0]].duration;
    }
    repeats.at.erase(repeats.at.begin());
    measure(trace, queries, repeats);
  }
  return trace.executions[*parent].query;
}

std::vector<std::string> varying_columns(const Trace& trace, const Query& query,
                                         const Repeats& repeats) {
  std::vector<std::string> varying;
  if (query.key_form != KeyForm::kSingle || repeats.at.empty()) return varying;
  const auto& first = trace.executions[repeats.at.front()].values;
  for (const Predicate& predicate : query.predicates) {
    if (predicate.op != "=" || predicate.list || predicate.join || predicate.slot == 0) continue;
    // Not seen, or of nobody knows which table: nothing is sure.
    if (predicate.slot > first.size() || predicate.table.empty() || predicate.column.empty())
      return {};
    const size_t slot = predicate.slot - 1U;
    bool varies = false;
    for (const uint32_t i : repeats.at) {
      const uint32_t value = trace.executions[i].values[slot];
      if (value == 0) return {};
      varies = varies || value != first[slot];
    }
    if (!varies) continue;
    const bool key = predicate.slot == query.key_slot;
    varying.insert(key ? varying.begin() : varying.end(), predicate.table + "." + predicate.column);
  }
  const std::string key = query.key_table + "." + query.key_column;
  if (varying.size() == 1 && varying.front() == key) varying.clear();
  return varying;
}

bool too_few(const Repeats& repeats, uint64_t least, QueryId parent, Report& report) {
  const bool few = repeats.count < least;
  if (!few && (!repeats.keys_known || repeats.distinct_keys >= least)) return false;
  report.near_miss({repeats.query, parent, "min_repeats",
                    static_cast<double>(few ? repeats.count : repeats.distinct_keys),
                    static_cast<double>(least),
                    few ? "repeats in one request, less the one that ran before its parent"
                        : "different keys among the repeats of one request"});
  return true;
}

bool is_tagged(const Trace& trace) {
  return trace.grouped_by == GroupedBy::kTraceparent || trace.grouped_by == GroupedBy::kTag;
}

double grouping_confidence(const Trace& trace) {
  switch (trace.grouped_by) {
    case GroupedBy::kTraceparent:
      return 0.97 * trace.confidence;
    case GroupedBy::kTag:
      return 0.95 * trace.confidence;
    case GroupedBy::kTransaction:
      return 0.92 * trace.confidence;
    case GroupedBy::kChain:
      return 0.85 * trace.confidence;
    case GroupedBy::kNone:
      break;
  }
  return 0.5 * trace.confidence;
}

Observation observe(const Trace& trace, const Repeats& repeats, uint32_t parent) {
  Observation observation;
  observation.query = repeats.query;
  observation.repeats = repeats.count;
  observation.statements = repeats.count;
  observation.database_time = repeats.duration;
  observation.started_at = trace.executions[repeats.at.front()].started_at;
  observation.ended_at = trace.executions[repeats.at.front()].ended_at;
  const auto add = [&](const Execution& execution) {
    observation.started_at = std::min(observation.started_at, execution.started_at);
    observation.ended_at = std::max(observation.ended_at, execution.ended_at);
    if (execution.pid != 0) observation.pids.push_back(execution.pid);
  };
  for (const uint32_t i : repeats.at)
    add(trace.executions[i]);
  if (parent != kNowhere) {
    add(trace.executions[parent]);
    observation.parent = trace.executions[parent].query;
    observation.leading = 1;
  }
  std::sort(observation.pids.begin(), observation.pids.end());
  observation.pids.erase(std::unique(observation.pids.begin(), observation.pids.end()),
                         observation.pids.end());
  return observation;
}

uint64_t repeats_each(const Finding& finding) {
  const uint64_t requests = std::max<uint64_t>(1, finding.occurrences);
  return (finding.statements + requests / 2) / requests;
}

bool is_sandbox(const Trace& trace, const QueryTable& queries) {
  size_t savepoints = 0;
  size_t statements = 0;
  for (const Execution& execution : trace.executions) {
    switch (queries[execution.query].transaction) {
      case TransactionVerb::kCommit:
        return false;
      case TransactionVerb::kSavepoint:
        ++savepoints;
        break;
      case TransactionVerb::kNone:
        ++statements;
        break;
      default:
        break;
    }
  }
  return savepoints > 0 && savepoints * 2 >= statements;
}

bool is_write(Operation operation) {
  return operation == Operation::kInsert || operation == Operation::kUpdate ||
         operation == Operation::kDelete;
}

void drop_fixtures(const Trace& trace, const QueryTable& queries, Repeats& repeats) {
  std::vector<uint32_t> best;
  std::vector<uint32_t> run;
  bool first_write = true;
  bool run_is_first = false;
  for (uint32_t i = 0; i < trace.executions.size(); ++i) {
    const Query& query = queries[trace.executions[i].query];
    if (query.transaction != TransactionVerb::kNone) continue;
    if (query.id != repeats.query) {
      run.clear();
      if (is_write(query.operation)) first_write = false;
      continue;
    }
    if (run.empty()) run_is_first = first_write;
    first_write = false;
    run.push_back(i);
    if (!run_is_first && run.size() > best.size()) best = run;
  }
  repeats.at = std::move(best);
}

}  // namespace ectoscope
