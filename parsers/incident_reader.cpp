#include "parsers/incident_reader.h"

#include <algorithm>

#include "parsers/incident_messages.h"

namespace ectoscope {
namespace {

bool is_wait(IncidentKind kind) {
  return kind == IncidentKind::kLockWait || kind == IncidentKind::kLockAcquired;
}

/// Of a connection that was just authorized: its session knows no application yet.
LogRecord introduced(const LogRecord& record, const IncidentMessage& message) {
  LogRecord named = record;
  if (named.user.empty() || named.user == "[unknown]") named.user = message.user;
  if (named.database.empty() || named.database == "[unknown]") named.database = message.database;
  named.application = message.application;
  return named;
}

}  // namespace

bool is_error(const LogRecord& record) {
  if (record.severity >= LogSeverity::kError) return true;
  if (record.severity != LogSeverity::kUnknown || record.sqlstate.size() != 5) return false;
  const std::string_view kind = record.sqlstate.substr(0, 2);
  return kind != "00" && kind != "01" && kind != "02";  // success, warning, no data
}

std::optional<Incident> IncidentReader::read(const LogRecord& record) {
  const auto message =
      is_error(record) ? read_error(record.sqlstate, record.message) : read_notice(record.message);
  if (!message) return std::nullopt;
  Incident incident;
  incident.kind = message->kind;
  incident.at = record.at;
  incident.started_at = record.at;
  incident.waited = message->waited;
  incident.pid = record.pid;
  incident.temp_bytes = message->bytes;
  incident.of_worker = record.user.empty() && record.database.empty();
  if (record.sqlstate.size() == incident.sqlstate.size()) {
    std::copy(record.sqlstate.begin(), record.sqlstate.end(), incident.sqlstate.begin());
  }
  incident.lock_mode = message->lock_mode;
  incident.table = message->table;
  incident.constraint = message->constraint;
  incident.columns = message->columns;
  incident.stream = streams_.intern(
      server_, incident.kind == IncidentKind::kConnected ? introduced(record, *message) : record);
  add_part(record, incident);
  return incident;
}

void IncidentReader::add_part(const LogRecord& part, Incident& incident) {
  if (is_wait(incident.kind) && incident.table.empty()) {
    incident.table = locked_relation(part.context);
  }
  if (!part.detail.empty()) add_others(part.detail, incident);
  if (!incident.constraint.empty() && incident.columns.empty()) {
    incident.columns = key_columns(part.detail);
  }
  if (!part.statement.empty() && incident.query == kNoQuery) {
    add_statement(part.statement, incident);
  }
}

void IncidentReader::add_statement(std::string_view statement, Incident& incident) {
  const ResolvedSql& resolved = resolver_.resolve(statement);
  incident.query = resolved.query;
  incident.trace_id = resolved.trace_id;
  incident.route = resolved.route;
}

void IncidentReader::add_others(std::string_view detail, Incident& incident) {
  if (is_wait(incident.kind)) {  // "Processes holding the lock: 828, 829. Wait queue: 822."
    while (const auto pid = take_pid(detail, '.'))
      incident.add_other({*pid, kNoQuery, {}});
    return;
  }
  if (incident.kind != IncidentKind::kDeadlock) return;
  while (const auto process = take_process_statement(detail)) {
    if (process->pid == incident.pid) continue;
    const ResolvedSql& resolved = resolver_.resolve(process->sql);
    // The server cuts these texts at track_activity_query_size: half a statement has no shape.
    const bool whole = resolved.query != kNoQuery && resolver_.queries[resolved.query].parsed;
    incident.add_other({process->pid, whole ? resolved.query : kNoQuery, resolved.trace_id});
  }
}

}  // namespace ectoscope
