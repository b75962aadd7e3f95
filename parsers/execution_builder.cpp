#include "parsers/execution_builder.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/application_name.h"

namespace ectoscope {
namespace {

using Kind = MessageKind;

/// A client sends bind at most this long after parse was answered; an older parse of the unnamed
/// statement belongs to something that was not logged.
constexpr Micros kParseAge{10'000'000};
/// Past this gap the client did something else in between, so the parse does not begin the run.
constexpr Micros kOneRun{1'000'000};
/// Bind and execute travel together.  Their virtual xid may differ: CREATE INDEX CONCURRENTLY ends
/// the transaction that it was bound in.
constexpr Micros kBindAge{100'000};
constexpr Micros kCoarseAge{1'000'000};  // more, where stamps are whole seconds

constexpr std::string_view kUnnamed = "<unnamed>";

bool unnamed(std::string_view label) {
  return label.starts_with(kUnnamed);
}

uint64_t hash_of(std::string_view text) {
  return text == kUnnamed ? 0 : std::hash<std::string_view>{}(text);
}

bool differ(int64_t query_id, int64_t other) {
  return query_id != 0 && other != 0 && query_id != other;
}

int64_t query_id_of(const LogRecord& record) {
  return record.has_query_id ? record.query_id : 0;
}

PendingPhase phase_of(const LogRecord& record, const Message& message) {
  PendingPhase phase;
  phase.open = true;
  phase.started_at = record.at - message.duration;
  phase.ended_at = record.at;
  phase.duration = message.duration;
  phase.query_id = query_id_of(record);
  return phase;
}

}  // namespace

// Wiring takes what it takes.  NOLINTNEXTLINE(readability-function-size)
ExecutionBuilder::ExecutionBuilder(SqlShapes& shapes, const QueryTable& queries,
                                   StreamTable& streams, const HashKey& key, std::string server,
                                   Sink sink)
    : ExecutionBuilder(
          SqlResolver{
              [&shapes](std::string_view sql) -> const ResolvedSql& { return shapes.resolve(sql); },
              queries, [&shapes](std::string_view schema) { return shapes.shown_schema(schema); }},
          streams, key, std::move(server), std::move(sink)) {}

// NOLINTNEXTLINE(readability-function-size)
ExecutionBuilder::ExecutionBuilder(SqlResolver resolver, StreamTable& streams, const HashKey& key,
                                   std::string server, Sink sink, BuilderLimits limits)
    : resolver_(std::move(resolver)),
      streams_(streams),
      hasher_(key),
      server_(std::move(server)),
      sink_(std::move(sink)),
      incident_reader_(resolver_, streams_, server_),
      limits_(limits),
      sessions_(limits.sessions, [this](Session& session) { decide(session); }) {
  batch_.reserve(kBatch + kHeldBack);
}

uint64_t ExecutionBuilder::key_of(const LogRecord& record) const {
  constexpr uint64_t kNotAPid = uint64_t{1} << 63U;
  if (record.pid != 0 || record.session.empty()) return static_cast<uint32_t>(record.pid);
  return hash_of(record.session) | kNotAPid;
}

Session& ExecutionBuilder::session_of(const LogRecord& record) {
  Session& session = sessions_.get(key_of(record));
  if (session.hash != 0 && (record.session.empty() || session.id == record.session)) return session;
  if (session.hash != 0) {  // the pid was given to another backend
    decide(session);
    const uint64_t key = session.key;
    const uint64_t last_used = session.last_used;
    session = Session{};
    session.key = key;
    session.last_used = last_used;
  }
  session.id = record.session;
  session.hash = session_hash(record);
  return session;
}

uint64_t ExecutionBuilder::session_hash(const LogRecord& record) const {
  return record.session.empty() ? mix_hash(1, key_of(record))
                                : keyed_hash(HashKey{}, record.session);
}

uint64_t ExecutionBuilder::transaction_of(uint64_t session, std::string_view virtual_xid) {
  // Without a local number ("12/0") the backend is in no transaction.
  if (virtual_xid.empty() || virtual_xid.ends_with("/0") || virtual_xid.ends_with('/')) return 0;
  uint64_t number = 0;
  for (const char c : virtual_xid)
    number = number * 31 + static_cast<unsigned char>(c);
  return mix_hash(session, number);
}

void ExecutionBuilder::on_record(const LogRecord& record) {
  if (record.application == kApplicationName) {
    ++drops_.own;
    return;
  }
  if (record.severity != LogSeverity::kLog) {
    if (is_error(record)) return on_error(record);
    if (record.severity != LogSeverity::kUnknown) return;
  }
  const Message message = read_message(record.message);
  if (message.kind == Kind::kOther) return on_other(record);
  Session& session = session_of(record);
  switch (message.kind) {
    case Kind::kParse:
      on_parse(session, record, message);
      break;
    case Kind::kBind:
      on_bind(session, record, message);
      break;
    case Kind::kPlan:
      on_plan(session, record, message);
      break;
    case Kind::kDuration:
      on_bare_duration(session, record, message);
      break;
    default:
      message.timed ? on_run(session, record, message) : on_untimed(session, record, message);
  }
}

void ExecutionBuilder::count_duration(Micros duration) {
  constexpr Micros kShort{1000};
  if (fidelity_.durations == 0 || duration < fidelity_.shortest) fidelity_.shortest = duration;
  ++fidelity_.durations;
  if (duration < kShort) ++fidelity_.short_durations;
}

void ExecutionBuilder::on_parse(Session& session, const LogRecord& record, const Message& message) {
  count_duration(message.duration);
  decide_statement(session);
  decide_plans(session);
  const uint64_t name = hash_of(message.name);
  PendingPhase* slot = &session.parses[0];
  if (!unnamed(message.name)) {
    slot =
        std::find_if(session.parses.begin() + 1, session.parses.end(),
                     [&](const PendingPhase& parse) { return parse.open && parse.name == name; });
    if (slot == session.parses.end()) {
      slot = &session.parses[1U + session.next_named];
      session.next_named = static_cast<uint8_t>((session.next_named + 1U) % 3U);
    }
  }
  if (slot->open) ++drops_.parses;
  *slot = phase_of(record, message);
  slot->name = name;
}

void ExecutionBuilder::take_parse(Session& session, std::string_view label, PendingPhase& into) {
  PendingPhase* parse = &session.parses[0];
  if (!unnamed(label)) {
    // Looking before hashing: most executions of a named statement find no parse at all.
    const auto named = session.parses.begin() + 1;
    if (std::none_of(named, session.parses.end(), [](const auto& it) { return it.open; })) return;
    const uint64_t name = hash_of(label);
    const uint64_t shorter = hash_of(without_portal(label));
    parse = std::find_if(named, session.parses.end(), [&](const PendingPhase& it) {
      return it.open && (it.name == name || it.name == shorter);
    });
    if (parse == session.parses.end()) return;
  } else if (!parse->open) {
    return;
  }
  parse->open = false;
  const Micros gap = into.started_at - parse->ended_at;
  if (differ(parse->query_id, into.query_id) ||
      (parse == session.parses.begin() && gap > kParseAge)) {
    ++drops_.parses;
    return;
  }
  into.parsed = true;
  into.duration += parse->duration;
  if (gap <= kOneRun) into.started_at = std::min(into.started_at, parse->started_at);
}

void ExecutionBuilder::on_bind(Session& session, const LogRecord& record, const Message& message) {
  count_duration(message.duration);
  decide_statement(session);
  decide_plans(session);
  if (session.bind.open) ++drops_.binds;
  if (!session.loose_plans.empty()) session.loose_plans.clear();
  session.bind = phase_of(record, message);
  session.bind.name = hash_of(message.name);
  session.bind.transaction = transaction_of(session.hash, record.virtual_xid);
  take_parse(session, message.name, session.bind);
  session.bind_detail.clear();
  if (record.detail.size() <= limits_.bind_detail_bytes) session.bind_detail = record.detail;
}

/// The bind and the parse that belong to this execute, closed and added up; not open if neither
/// was logged.
PendingPhase ExecutionBuilder::phases_of(Session& session, const LogRecord& record,
                                         const Message& message) {
  PendingPhase& bind = session.bind;
  if (bind.open && bind.name == hash_of(message.name) &&
      !differ(bind.query_id, query_id_of(record))) {
    const Micros gap = record.at - message.duration - bind.ended_at;
    const bool together = gap <= kBindAge + (record.coarse_time ? kCoarseAge : Micros(0)) ||
                          (bind.transaction != 0 &&
                           bind.transaction == transaction_of(session.hash, record.virtual_xid));
    if (together) return std::exchange(bind, PendingPhase{});
    bind.open = false;
    ++drops_.binds;
  }
  PendingPhase parse;
  parse.started_at = record.at - message.duration;
  parse.query_id = query_id_of(record);
  take_parse(session, message.name, parse);
  return parse;
}

bool ExecutionBuilder::resolve(Session& session, const LogRecord& record, std::string_view sql,
                               PendingExecution& pending) {
  const ResolvedSql& resolved = resolver_.resolve(sql);
  if (resolved.query == kNoQuery) {
    ++drops_.no_shape;
    return false;
  }
  Execution& execution = pending.execution;
  execution.query = resolved.query;
  execution.trace_id = resolved.trace_id;
  execution.request_tag = resolved.request_tag;
  execution.route = resolved.route;
  if (resolved.ignored) execution.flags |= Execution::kIgnored;
  if (record.coarse_time) execution.flags |= Execution::kCoarseTime;
  session.stream = streams_.intern(server_, record, session.stream);
  execution.stream = session.stream;
  execution.pid = record.pid;
  execution.session = session.hash;
  execution.transaction = transaction_of(session.hash, record.virtual_xid);
  pending.literals =
      hasher_.literals(resolver_.queries[resolved.query], resolved.literals, execution);
  return true;
}

void ExecutionBuilder::add_parameters(std::string_view detail, PendingExecution& pending) {
  const Query& query = resolver_.queries[pending.execution.query];
  const ValueHashes parameters = hasher_.parameters(query, detail, pending.execution);
  join(query, parameters, pending.literals, pending.execution);
}

/// What on_run and on_untimed have in common; false when the statement has no shape.
bool ExecutionBuilder::make_run(Session& session, const LogRecord& record, const Message& message,
                                PendingExecution& pending) {
  Execution& execution = pending.execution;
  execution.position = position_base_ + record.offset;
  execution.started_at = record.at - message.duration;
  execution.ended_at = record.at;
  execution.duration = message.duration;
  std::string_view detail = record.detail;
  if (message.kind == Kind::kStatement) {
    execution.flags |= Execution::kSimple;
  } else if (!unnamed(message.name)) {
    execution.flags |= Execution::kNamed;
  }
  QueryId planned = kNoQuery;
  if (message.kind == Kind::kFetch) {
    execution.flags |= Execution::kFetch;
  } else if (message.kind == Kind::kExecute) {
    const PendingPhase before = phases_of(session, record, message);
    execution.started_at = std::min(execution.started_at, before.started_at);
    execution.duration += before.duration;
    if (before.parsed) execution.flags |= Execution::kParsedNow;
    if (before.planned) execution.flags |= Execution::kHasPlan;
    planned = before.plan_query;
    if (before.open && detail.empty()) detail = session.bind_detail;
    if (message.timed) {
      ++fidelity_.extended;
      if (!before.open) ++fidelity_.without_bind;
    }
  }
  if (!resolve(session, record, message.sql, pending)) return false;
  pending.own_plan = planned == execution.query;
  add_parameters(detail, pending);
  if (query_id_of(record) != 0) ++fidelity_.with_query_id;
  return true;
}

void ExecutionBuilder::on_run(Session& session, const LogRecord& record, const Message& message) {
  count_duration(message.duration);
  decide_statement(session);
  PendingExecution pending;
  if (!make_run(session, record, message, pending)) return;
  if (session.plans_open != 0) claim_plans(session, pending);
  build(session, pending);
}

}  // namespace ectoscope
