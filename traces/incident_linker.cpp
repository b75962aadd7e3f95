#include "traces/incident_linker.h"

#include <algorithm>

namespace ectoscope {
namespace {

constexpr Micros kStampError{1000};  // stamps have milliseconds

// How well a statement explains that somebody waits for its backend.
constexpr int kNone = 0;
constexpr int kRan = 1;        // anything in the same transaction
constexpr int kLocks = 2;      // takes locks on rows or tables
constexpr int kSameTable = 3;  // and on the table that is waited for

/// A named statement that was prepared earlier logs the comment of that earlier request.
bool trace_id_is_own(const Execution& execution) {
  return !execution.has(Execution::kNamed) || execution.has(Execution::kParsedNow);
}

bool takes_locks(const Query& query) {
  switch (query.operation) {
    case Operation::kInsert:
    case Operation::kUpdate:
    case Operation::kDelete:
    case Operation::kDdl:
      return true;
    case Operation::kSelect:
      return query.locks_rows;
    case Operation::kOther:
      return query.text.starts_with("LOCK");
    default:
      return false;
  }
}

bool names(const Query& query, std::string_view table) {
  return std::find(query.tables.begin(), query.tables.end(), table) != query.tables.end();
}

bool two_sided(IncidentKind kind) {
  return kind == IncidentKind::kLockWait || kind == IncidentKind::kDeadlock;
}

}  // namespace

void IncidentLinker::add(std::span<const Execution> executions) {
  for (const Execution& execution : executions) {
    if (execution.pid == 0) continue;
    if (!waits_.empty()) look_under_way(execution);
    note(execution);
  }
  if (!executions.empty()) advance(executions.back().ended_at);
}

void IncidentLinker::note(const Execution& execution) {
  auto found = backends_.find(execution.pid);
  if (found == backends_.end()) {
    if (backends_.size() >= kMaxBackends) forget_idle();
    found = backends_.emplace(execution.pid, Backend{}).first;
  }
  Backend& backend = found->second;
  Run& run = backend.runs[backend.count++ % Backend::kKept];
  run.started_at = execution.started_at;
  run.ended_at = execution.ended_at;
  run.transaction = execution.transaction;
  run.trace_id = trace_id_is_own(execution) ? execution.trace_id : TraceId{};
  run.query = execution.query;
  backend.last = execution.ended_at;
}

/// Half of the backends: those that were silent for the longest.
void IncidentLinker::forget_idle() {
  std::vector<EventTime> ends;
  ends.reserve(backends_.size());
  for (const auto& [pid, backend] : backends_)
    ends.push_back(backend.last);
  const auto middle = ends.begin() + static_cast<std::ptrdiff_t>(ends.size() / 2);
  std::nth_element(ends.begin(), middle, ends.end());
  const EventTime limit = *middle;
  std::erase_if(backends_, [&](const auto& entry) { return entry.second.last <= limit; });
}

int IncidentLinker::fit(const Incident& incident, const Run& run) const {
  const Query& query = queries_[run.query];
  if (query.operation == Operation::kTransaction) return kNone;
  if (!takes_locks(query)) return kRan;
  std::string_view table = incident.table.view();
  if (table.empty() && incident.query != kNoQuery && !queries_[incident.query].tables.empty()) {
    table = queries_[incident.query].tables.front();
  }
  return names(query, table) ? kSameTable : kLocks;
}

/// Among what the party's backend ran last, as far back as its transaction goes.
void IncidentLinker::choose(Wait& wait, size_t side) const {
  IncidentParty& party = wait.incident.others[side];
  int& fits = wait.fits[side];
  const auto found = backends_.find(party.pid);
  if (found == backends_.end()) return;
  const Backend& backend = found->second;
  const size_t kept = std::min<size_t>(backend.count, Backend::kKept);
  for (size_t i = 1; i <= kept; ++i) {
    const Run& run = backend.runs[(backend.count - i) % Backend::kKept];
    const TransactionVerb verb = queries_[run.query].transaction;
    if (verb == TransactionVerb::kCommit || verb == TransactionVerb::kRollback) break;
    const int fit_of_run = fit(wait.incident, run);
    const bool names_trace = !party.trace_id.known() && run.trace_id.known();
    if (names_trace) party.trace_id = run.trace_id;
    if (names_trace || fit_of_run > fits) wait.needed = std::min(wait.needed, run.started_at);
    if (fit_of_run > fits) {
      fits = fit_of_run;
      party.query = run.query;
    }
    if (verb == TransactionVerb::kBegin) break;
  }
}

void IncidentLinker::add(const Incident& incident) {
  advance(incident.at);
  if (incident.kind == IncidentKind::kLockAcquired) {
    finish_wait(incident);
    return;
  }
  if (!two_sided(incident.kind)) {
    // A wait that ends in an error is over; its time is what the error's stamp says.
    if (incident.kind == IncidentKind::kLockTimeout ||
        incident.kind == IncidentKind::kStatementTimeout ||
        incident.kind == IncidentKind::kClientCancel) {
      finish_wait(incident);
    }
    sink_(incident);
    return;
  }
  Wait wait{incident, incident.at, incident.at, 0, false, {}};
  for (size_t i = 0; i < incident.others_count; ++i) {
    IncidentParty& other = wait.incident.others[i];
    // A deadlock's DETAIL has the other side's statement itself.
    wait.fits[i] = other.query == kNoQuery ? kNone : kSameTable;
    choose(wait, i);
  }
  if (incident.kind == IncidentKind::kDeadlock) {
    sink_(wait.incident);
    return;
  }
  waits_.push_back(wait);
  if (waits_.size() > kMaxWaits) {
    sink_(waits_.front().incident);
    waits_.pop_front();
  }
}

/// A statement that was under way while somebody waited for its backend is logged only now.
void IncidentLinker::look_under_way(const Execution& execution) {
  const Run run{execution.started_at, execution.ended_at, execution.transaction,
                trace_id_is_own(execution) ? execution.trace_id : TraceId{}, execution.query};
  for (Wait& wait : waits_) {
    if (run.started_at > wait.began || run.ended_at + kStampError < wait.began) continue;
    for (size_t i = 0; i < wait.incident.others_count; ++i) {
      IncidentParty& other = wait.incident.others[i];
      if (other.pid != execution.pid) continue;
      const int fits = fit(wait.incident, run);
      if (fits <= kRan || fits < wait.fits[i]) continue;
      wait.fits[i] = fits;
      other.query = run.query;
      if (!other.trace_id.known()) other.trace_id = run.trace_id;
      wait.needed = std::min(wait.needed, run.started_at);
    }
  }
}

void IncidentLinker::finish_wait(const Incident& end) {
  const auto wait = std::find_if(waits_.begin(), waits_.end(), [&](const Wait& it) {
    return !it.over && it.incident.pid == end.pid && it.incident.session == end.session;
  });
  if (wait == waits_.end()) return;
  Incident& incident = wait->incident;
  incident.waited = end.kind == IncidentKind::kLockAcquired
                        ? end.waited
                        : incident.waited + (end.at - incident.at);
  incident.at = end.at;
  if (incident.query == kNoQuery) incident.query = end.query;
  if (!incident.trace_id.known()) incident.trace_id = end.trace_id;
  wait->over = true;
  wait->end_position = end.position;
}

void IncidentLinker::advance(EventTime now) {
  std::erase_if(waits_, [&](const Wait& wait) {
    const bool due = wait.over ? now - wait.incident.at > kSettle : now - wait.began > kLongestWait;
    if (due) sink_(wait.incident);
    return due;
  });
}

void IncidentLinker::visit_waits(
    const std::function<void(const Incident&, EventTime needed)>& visit) const {
  for (const Wait& wait : waits_) {
    visit(wait.incident, wait.needed);
    if (!wait.over) continue;
    Incident end = wait.incident;
    end.position = wait.end_position;
    visit(end, wait.needed);
  }
}

void IncidentLinker::finish() {
  for (const Wait& wait : waits_)
    sink_(wait.incident);
  waits_.clear();
}

}  // namespace ectoscope
