#include "outputs/api_json.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "core/alerting_state.h"
#include "outputs/deploys_api.h"
#include "outputs/ignored_section.h"
#include "outputs/json_notes.h"
#include "outputs/json_report.h"
#include "outputs/json_writer.h"
#include "outputs/query_figures.h"

namespace ectoscope {
namespace {

constexpr auto kInline = JsonWriter::Layout::kInline;
constexpr size_t kMostLimit = 1000;

void write_time(JsonWriter& json, std::string_view name, const std::optional<EventTime>& at) {
  json.key(name);
  at ? json.value(std::string_view(format_rfc3339(*at))) : json.null();
}

void write_life(JsonWriter& json, const Snapshot& snapshot, const TrackedFinding& tracked) {
  json.member("state", state_of(tracked));
  json.member("live", tracked.live);
  json.member("team", tracked.team);
  json.member("total_occurrences", tracked.total_occurrences);
  write_time(json, "resolved_at", tracked.resolved_at);
  json.key("since_deploy");
  write_deploy(json, deploy_before(snapshot.deploys, tracked.finding));
  json.key("acknowledged");
  if (!tracked.acknowledged_at) {
    json.null();
    return;
  }
  json.begin_object(kInline);
  json.member("at", format_rfc3339(*tracked.acknowledged_at));
  json.member("by", tracked.acknowledged_by);
  json.member("why", tracked.acknowledged_why);
  json.end_object();
}

/// Of several servers the one whose log shows least.
InputFacts input_of(const Snapshot& snapshot) {
  InputFacts input;
  for (const ServerState& server : snapshot.servers) {
    input.bytes += server.bytes;
    input.records += server.records;
    for (const StatementCounts& counts : server.statements)
      input.statements += counts.durations.count;
    for (const uint64_t traces : server.traces)
      input.traces += traces;
    for (const auto& [reason, count] : server.dropped)
      input.unparsed[reason] += count;
    if (&server == &snapshot.servers.front()) input.fidelity = server.fidelity;
    input.fidelity.statements = std::max(input.fidelity.statements, server.fidelity.statements);
    input.fidelity.trace_ids = std::max(input.fidelity.trace_ids, server.fidelity.trace_ids);
    input.fidelity.parameters = input.fidelity.parameters && server.fidelity.parameters;
    input.fidelity.plans = input.fidelity.plans && server.fidelity.plans;
    for (const std::string& advice : server.fidelity.advice) {
      auto& all = input.fidelity.advice;
      if (std::find(all.begin(), all.end(), advice) == all.end()) all.push_back(advice);
    }
  }
  return input;
}

void write_page(JsonWriter& json, size_t total, size_t offset, size_t limit) {
  json.key("page");
  json.begin_object(kInline);
  json.member("total", uint64_t{total});
  json.member("offset", uint64_t{offset});
  json.member("limit", uint64_t{limit});
  json.end_object();
}

void write_source(JsonWriter& json, const SourceState& source) {
  json.begin_object();
  json.member("server", source.server);
  json.member("name", source.name);
  json.member("up", source.up);
  json.member("problem", source.problem);
  json.member("position", source.position);
  json.member("size", source.size);
  write_time(json, "last_event", source.last_event);
  json.end_object();
}

void write_server(JsonWriter& json, const ServerState& server) {
  json.begin_object();
  json.member("server", server.server);
  json.member("up", server.up);
  json.member("bytes", server.bytes);
  json.member("records", server.records);
  json.member("lag_seconds", server.lag_seconds);
  write_counts(json, "dropped", server.dropped);
  json.key("traces");
  json.begin_object(kInline);
  for (size_t i = 0; i < server.traces.size(); ++i)
    json.member(name_of(static_cast<GroupedBy>(i)), server.traces[i]);
  json.end_object();
  write_fidelity(json, server.fidelity);
  json.end_object();
}

std::optional<std::string> read_one(const std::string& name, const std::string& value,
                                    QueryFilter& filter) {
  if (name == "server" || name == "database") {
    (name == "server" ? filter.server : filter.database) = value;
    return std::nullopt;
  }
  if (name != "limit" && name != "offset") {
    return "no such parameter; there are server, database, limit and offset";
  }
  size_t& number = name == "limit" ? filter.limit : filter.offset;
  const size_t most = name == "limit" ? kMostLimit : 100'000'000;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc{} && end == value.data() + value.size() && number <= most) {
    return std::nullopt;
  }
  return "a number from 0 to " + std::to_string(most);
}

void write_alerting(JsonWriter& json, const AlertingState& alerting) {
  json.member("alerts_firing", uint64_t{alerting.firing.size()});
  json.key("alertmanagers");
  json.begin_array();
  for (const AlertmanagerState& alertmanager : alerting.alertmanagers) {
    json.begin_object();
    json.member("url", std::string_view(alertmanager.url));
    json.member("up", alertmanager.up);
    json.member("problem", std::string_view(alertmanager.problem));
    json.member("queued", alertmanager.queued);
    json.member("sent", alertmanager.sent);
    json.member("failed", alertmanager.failed);
    json.key("dropped");
    json.begin_object(kInline);
    for (const auto& [reason, count] : alertmanager.dropped)
      json.member(reason, count);
    json.end_object();
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string findings_json(const Snapshot& snapshot, const FindingFilter& filter,
                          std::string_view version) {
  const FindingPage page = select_findings(snapshot, filter);
  std::ostringstream out;
  JsonWriter json(out);
  json.begin_object();
  write_report_head(json, version, input_of(snapshot));
  write_page(json, page.total, filter.offset, filter.limit);
  json.key("findings");
  json.begin_array();
  for (const auto& tracked : page.findings) {
    json.begin_object();
    write_finding_members(json, tracked->finding);
    write_life(json, snapshot, *tracked);
    json.end_object();
  }
  json.end_array();
  write_ignoring(json, all_ignored(snapshot));
  json.end_object();
  return out.str();
}

std::string finding_json(const Snapshot& snapshot, const TrackedFinding& tracked,
                         const std::vector<Control::HistoryHour>& history,
                         std::string_view version) {
  std::ostringstream out;
  JsonWriter json(out);
  json.begin_object();
  json.member("schema", 1);
  json.key("tool");
  json.begin_object(kInline);
  json.member("name", "ectoscope");
  json.member("version", version);
  json.end_object();
  json.key("finding");
  json.begin_object();
  write_finding_members(json, tracked.finding);
  write_life(json, snapshot, tracked);
  json.key("history");
  json.begin_array();
  for (const Control::HistoryHour& hour : history) {
    json.begin_object(kInline);
    json.member("hour", format_rfc3339(hour.hour));
    json.member("occurrences", hour.occurrences);
    json.member("database_ms", to_ms(hour.database_time));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  json.end_object();
  return out.str();
}

bool QueryFilter::matches(const QueryStatistics& query) const {
  return (server.empty() || query.server == server) &&
         (database.empty() || query.database == database);
}

Result<QueryFilter> read_query_filter(const UrlParameters& parameters, QueryFilter filter) {
  for (const auto& [name, value] : parameters) {
    if (const auto allowed = read_one(name, value, filter)) return Error{name + ": " + *allowed};
  }
  return filter;
}

std::string queries_json(const Snapshot& snapshot, const QueryFilter& filter) {
  std::ostringstream out;
  JsonWriter json(out);
  const double seconds = all_seconds(snapshot);
  size_t total = 0;
  json.begin_object();
  json.member("schema", 1);
  json.key("queries");
  json.begin_array();
  for (const auto& query : snapshot.queries) {
    if (!filter.matches(*query)) continue;
    const size_t place = total++;
    if (place < filter.offset || place >= filter.offset + filter.limit) continue;
    const QueryFigures figures = figures_of(*query, seconds);
    json.begin_object();
    json.member("server", query->server);
    json.member("database", query->database);
    json.member("operation", name_of(query->operation));
    write_query(json, "query", query->query);
    json.member("calls", query->durations.count);
    json.member("total_ms", figures.total_ms);
    json.member("mean_ms", figures.mean_ms);
    json.member("p95_ms", figures.p95_ms);
    json.member("max_ms", figures.max_ms);
    json.member("share", figures.share);
    json.end_object();
  }
  json.end_array();
  write_page(json, total, filter.offset, filter.limit);
  json.end_object();
  return out.str();
}

std::string sources_json(const Snapshot& snapshot) {
  std::ostringstream out;
  JsonWriter json(out);
  json.begin_object();
  json.member("schema", 1);
  json.member("taken_at", format_rfc3339(snapshot.taken_at));
  json.member("ready", snapshot.ready);
  json.key("problems");
  json.begin_array();
  for (const std::string& problem : snapshot.problems)
    json.value(std::string_view(problem));
  json.end_array();
  json.member("store_problem", snapshot.store_problem);
  json.key("sources");
  json.begin_array();
  for (const SourceState& source : snapshot.sources)
    write_source(json, source);
  json.end_array();
  json.key("servers");
  json.begin_array();
  for (const ServerState& server : snapshot.servers)
    write_server(json, server);
  json.end_array();
  if (snapshot.alerting) write_alerting(json, *snapshot.alerting);
  json.end_object();
  return out.str();
}

std::string near_misses_json(const NearlyFound& found, std::string_view kind) {
  std::ostringstream out;
  JsonWriter json(out);
  json.begin_object();
  json.member("schema", 1);
  json.member("since", format_rfc3339(found.since));
  json.key("near_misses");
  json.begin_array();
  for (const Miss& miss : found.misses) {
    if (!kind.empty() && miss.kind != kind) continue;
    write_miss(json, miss);
  }
  json.end_array();
  json.end_object();
  return out.str();
}

std::string error_json(int status, std::string_view message) {
  std::ostringstream out;
  JsonWriter json(out);
  json.begin_object(kInline);
  json.key("error");
  json.begin_object();
  json.member("status", status);
  json.member("message", message);
  json.end_object();
  json.end_object();
  return out.str();
}

}  // namespace ectoscope
