// The parts of ExecutionBuilder for what is told in pieces: log_statement with log_duration,
// details that come late, errors; and the ways out.
#include <algorithm>

#include "parsers/execution_builder.h"
#include "parsers/incident_messages.h"

namespace ectoscope {

void ExecutionBuilder::on_untimed(Session& session, const LogRecord& record,
                                  const Message& message) {
  decide_statement(session);
  decide_plans(session);
  ++fidelity_.by_log_statement;
  PendingExecution& pending = session.statement;
  pending = {};
  pending.open = make_run(session, record, message, pending);
  pending.execution.flags |= Execution::kNoDuration;
  size_t phases = 0;
  for (PendingPhase& bare : session.bare) {  // log_duration's for its parse and bind
    if (!bare.open) continue;
    bare.open = false;
    if (message.kind != MessageKind::kExecute) {
      ++drops_.durations;
      ++fidelity_.bare_durations;
      continue;
    }
    ++phases;
    pending.execution.duration += bare.duration;
    pending.execution.started_at = std::min(pending.execution.started_at, bare.started_at);
  }
  if (phases == session.bare.size()) pending.execution.flags |= Execution::kParsedNow;
}

void ExecutionBuilder::on_bare_duration(Session& session, const LogRecord& record,
                                        const Message& message) {
  count_duration(message.duration);
  const EventTime started_at = record.at - message.duration;
  PendingExecution& statement = session.statement;
  if (statement.open) {
    statement.open = false;
    Execution& execution = statement.execution;
    execution.duration += message.duration;
    execution.ended_at = record.at;
    execution.position = position_base_ + record.offset;
    execution.started_at = std::min(execution.started_at, started_at);
    execution.flags &= static_cast<uint16_t>(~Execution::kNoDuration);
    build(session, statement);
    return;
  }
  auto& [older, newer] = session.bare;
  if (older.open) {
    ++drops_.durations;
    ++fidelity_.bare_durations;
  }
  older = newer;
  newer = {};
  newer.open = true;
  newer.started_at = started_at;
  newer.ended_at = record.at;
  newer.duration = message.duration;
}

void ExecutionBuilder::on_other(const LogRecord& record) {
  if (looks_like_duration(record.message)) {
    ++fidelity_.unread_durations;
    return;
  }
  if (!incident_sink_) return;
  if (auto incident = incident_reader_.read(record)) hold_incident(record, *incident);
}

void ExecutionBuilder::hold_incident(const LogRecord& record, Incident incident) {
  incident.position = position_base_ + record.offset;
  incident.session = session_hash(record);
  incident.transaction = transaction_of(incident.session, record.virtual_xid);
  if (const Session* session = sessions_.find(key_of(record));
      session != nullptr && session->hash == incident.session) {
    incident.of_worker = false;  // a worker runs no statement of its own
    // A named statement that was prepared earlier logs the comment of that earlier request.
    const PendingPhase& bind = session->bind;
    if (bind.open && bind.name != 0 && !bind.parsed) incident.trace_id = {};
    if (bind.open) incident.started_at = std::min(incident.at, bind.started_at);
  }
  incidents_.push_back({given_out_ + batch_.size(), incident});
  if (incidents_.size() > kMaxIncidents) give_out(batch_.size());
}

void ExecutionBuilder::on_error(const LogRecord& record) {
  if (incident_sink_) {
    if (auto incident = incident_reader_.read(record)) hold_incident(record, *incident);
  }
  bool failed = !record.statement.empty();
  Session* session = sessions_.find(key_of(record));
  if (session != nullptr && (record.session.empty() || session->id == record.session)) {
    decide_plans(*session);
    failed = failed || session->bind.open || session->statement.open;
    session->bind.open = false;
    session->statement.open = false;
    session->parses[0].open = false;
    session->bare = {};
    session->loose_plans.clear();
  }
  if (failed) ++drops_.failed;
}

void ExecutionBuilder::on_late_part(const LogRecord& part) {
  const auto held = std::find_if(incidents_.rbegin(), incidents_.rend(),
                                 [&](const auto& it) { return it.incident.pid == part.pid; });
  if (held != incidents_.rend()) incident_reader_.add_part(part, held->incident);
  if (part.detail.empty()) return;
  Session* session = sessions_.find(key_of(part));
  if (session == nullptr || part.detail.find("$1 = ") == std::string_view::npos) return;
  if (session->bind.open) {
    if (part.detail.size() <= limits_.bind_detail_bytes) session->bind_detail = part.detail;
    return;
  }
  PendingExecution late;
  Execution* execution = nullptr;
  if (session->statement.open) {
    execution = &session->statement.execution;
    late.literals = session->statement.literals;
  } else {
    execution = recent(session->last);
    late.literals = session->last.literals;
  }
  if (execution == nullptr) {
    ++drops_.late_parts;
    return;
  }
  if (execution->has(Execution::kHasParameters)) return;
  late.execution = *execution;
  add_parameters(part.detail, late);
  if (late.execution.has(Execution::kHasParameters) && !session->statement.open) {
    ++fidelity_.with_parameters;
    --fidelity_.lacking_parameters;
  }
  *execution = late.execution;
}

void ExecutionBuilder::decide_statement(Session& session) {
  if (!session.statement.open) return;
  session.statement.open = false;
  ++fidelity_.untimed;
  build(session, session.statement);
}

void ExecutionBuilder::decide(Session& session) {
  decide_statement(session);
  decide_plans(session);
  if (session.bind.open) ++drops_.binds;
  for (const PendingPhase& parse : session.parses)
    drops_.parses += parse.open ? 1 : 0;
  for (const PendingPhase& bare : session.bare)
    drops_.durations += bare.open ? 1 : 0;
  session.bind.open = false;
  session.parses = {};
  session.bare = {};
  session.loose_plans.clear();
}

void ExecutionBuilder::count_run(const PendingExecution& pending) {
  const Execution& execution = pending.execution;
  const Query& query = resolver_.queries[execution.query];
  ++fidelity_.executions;
  if (execution.has(Execution::kCoarseTime)) ++fidelity_.coarse;
  if (execution.transaction != 0) ++fidelity_.with_transaction;
  if (!streams_[execution.stream].application.empty()) ++fidelity_.with_application;
  if (query.parameters > 0 && !execution.has(Execution::kPlanOnly)) {
    ++(execution.has(Execution::kHasParameters) ? fidelity_.with_parameters
                                                : fidelity_.lacking_parameters);
  }
  if (query.system || query.operation == Operation::kTransaction ||
      query.operation == Operation::kOther || query.operation == Operation::kDdl) {
    return;
  }
  ++fidelity_.taggable;
  if (!execution.trace_id.known()) return;
  ++fidelity_.tagged;
  constexpr uint16_t kOldText = Execution::kNamed;
  constexpr uint16_t kMask = Execution::kNamed | Execution::kParsedNow | Execution::kFetch;
  if ((execution.flags & kMask) == kOldText) ++fidelity_.stale;
}

void ExecutionBuilder::build(Session& session, const PendingExecution& pending) {
  count_run(pending);
  const uint64_t number = given_out_ + batch_.size();
  if (pending.plan != nullptr) add_plan(number, pending.plan, nullptr);
  if (!session.loose_plans.empty()) claim_loose_plans(session, pending, number);
  session.last.known = true;
  session.last.number = number;
  session.last.query = pending.execution.query;
  session.last.literals = pending.literals;
  session.last.own_plan = pending.own_plan;
  batch_.push_back(pending.execution);
  if (batch_.size() >= kBatch + kHeldBack) give_out(kBatch);
}

Execution* ExecutionBuilder::recent(const LastExecution& last) {
  if (!last.known || last.number < given_out_) return nullptr;
  return &batch_[last.number - given_out_];
}

void ExecutionBuilder::give_out(size_t count) {
  const uint64_t end = given_out_ + count;
  while (!incidents_.empty() && incidents_.front().after <= end) {
    const HeldIncident held = incidents_.front();
    incidents_.pop_front();
    if (held.after > given_out_) give_out_executions(held.after - given_out_);
    incident_sink_(held.incident);
  }
  give_out_executions(end - given_out_);
}

void ExecutionBuilder::give_out_executions(size_t count) {
  if (count == 0) return;
  give_out_plans(count);
  sink_(std::span(batch_).first(count), planned_);
  batch_.erase(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(count));
  given_out_ += count;
}

void ExecutionBuilder::hand_out(uint64_t number) {
  if (number > given_out_) {
    give_out(std::min<size_t>(number - given_out_, batch_.size()));
  } else if (!incidents_.empty()) {
    give_out(0);
  }
}

void ExecutionBuilder::held(Held& into) {
  constexpr Micros kLongest{60'000'000};  // a statement that ends later was worth no waiting
  into.positions.clear();
  into.oldest = EventTime::max();
  into.oldest_complete = EventTime::max();
  EventTime newest = EventTime::min();
  const auto take = [&](const Execution& execution) {
    into.positions.push_back(execution.position);
    into.oldest = std::min(into.oldest, execution.started_at);
  };
  for (const HeldIncident& held : incidents_) {
    into.positions.push_back(held.incident.position);
    into.oldest = std::min(into.oldest, held.incident.at);
  }
  for (const Execution& execution : batch_) {
    take(execution);
    newest = std::max(newest, execution.ended_at);
    into.oldest_complete = std::min(into.oldest_complete, execution.ended_at);
  }
  const auto wait = [&](const PendingPhase& phase) {
    if (phase.open && (newest == EventTime::min() || newest - phase.ended_at < kLongest))
      into.oldest = std::min(into.oldest, phase.started_at);
  };
  sessions_.for_each([&](Session& session) {
    if (session.statement.open) take(session.statement.execution);
    for (const PendingExecution& plan : session.plans) {
      if (plan.open) take(plan.execution);
    }
    wait(session.bind);
    for (const PendingPhase& parse : session.parses)
      wait(parse);
    for (const PendingPhase& bare : session.bare)
      wait(bare);
  });
}

void ExecutionBuilder::flush() {
  sessions_.for_each([this](Session& session) { decide(session); });
  hand_out();
}

const DropCounts& ExecutionBuilder::counts() const {
  counts_.clear();
  const auto set = [&](std::string_view reason, uint64_t count) {
    if (count > 0) counts_.emplace(reason, count);
  };
  set("failed_statement", drops_.failed);
  set("bind_without_execute", drops_.binds);
  set("parse_without_execute", drops_.parses);
  set("duration_without_statement", drops_.durations);
  set("late_part", drops_.late_parts);
  set("no_shape", drops_.no_shape);
  set("own_record", drops_.own);
  for (size_t problem = 1; problem < kPlanProblems; ++problem)
    set(name_of(static_cast<PlanProblem>(problem)), drops_.plans[problem]);
  return counts_;
}

}  // namespace ectoscope
