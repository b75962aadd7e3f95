#include "outputs/json_report.h"

#include <string>

#include "outputs/json_notes.h"
#include "outputs/json_writer.h"

namespace ectoscope {
namespace {

constexpr auto kInline = JsonWriter::Layout::kInline;

std::string_view name_of(InputFidelity::Statements statements) {
  switch (statements) {
    case InputFidelity::Statements::kAll:
      return "all";
    case InputFidelity::Statements::kSampled:
      return "sampled";
    case InputFidelity::Statements::kSlowOnly:
      return "slow_only";
    case InputFidelity::Statements::kNone:
      break;
  }
  return "none";
}

std::string_view name_of(InputFidelity::TraceIds trace_ids) {
  switch (trace_ids) {
    case InputFidelity::TraceIds::kAll:
      return "all";
    case InputFidelity::TraceIds::kSome:
      return "some";
    case InputFidelity::TraceIds::kStale:
      return "stale";
    case InputFidelity::TraceIds::kNone:
      break;
  }
  return "none";
}

void strings(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts,
             JsonWriter::Layout layout = kInline) {
  json.key(name);
  json.begin_array(layout);
  for (const std::string& text : texts)
    json.value(std::string_view(text));
  json.end_array();
}

void write_input(JsonWriter& json, const InputFacts& input) {
  json.key("input");
  json.begin_object();
  json.member("bytes", input.bytes);
  json.member("records", input.records);
  json.member("statements", input.statements);
  json.member("traces", input.traces);
  write_counts(json, "unparsed", input.unparsed);
  write_fidelity(json, input.fidelity);
  json.end_object();
}

std::string_view name_of(Verification::By by) {
  switch (by) {
    case Verification::By::kPlan:
      return "plan";
    case Verification::By::kHypopg:
      return "hypopg";
    case Verification::By::kNone:
      break;
  }
  return "none";
}

void write_verified(JsonWriter& json, const std::optional<Verification>& verified) {
  const Verification::By by = verified ? verified->by : Verification::By::kNone;
  const bool costs = by == Verification::By::kHypopg;
  json.key("verified");
  json.begin_object(kInline);
  json.member("by", name_of(by));
  json.key("cost_before");
  costs ? json.value(verified->cost_before) : json.null();
  json.key("cost_after");
  costs ? json.value(verified->cost_after) : json.null();
  json.end_object();
}

void write_fix(JsonWriter& json, const Fix& fix) {
  json.key("fix");
  json.begin_object();
  json.member("advice", fix.advice);
  json.member("ecto", fix.ecto);
  json.member("migration", fix.migration);
  json.member("sql", fix.sql);
  json.key("index");
  if (fix.index) {
    json.begin_object(kInline);
    json.member("table", fix.index->table);
    strings(json, "columns", fix.index->columns);
    strings(json, "order", fix.index->order);
    strings(json, "include", fix.index->include);
    json.key("where");
    fix.index->where ? json.value(std::string_view(*fix.index->where)) : json.null();
    json.end_object();
  } else {
    json.null();
  }
  write_verified(json, fix.verified);
  json.end_object();
}

void pids(JsonWriter& json, const std::vector<int32_t>& pids) {
  json.key("pids");
  json.begin_array(kInline);
  for (const int32_t pid : pids)
    json.value(pid);
  json.end_array();
}

void write_example(JsonWriter& json, const Example& example) {
  json.begin_object(kInline);
  json.key("trace_id");
  example.trace_id.known() ? json.value(std::string_view(to_hex(example.trace_id))) : json.null();
  json.member("grouped_by", ectoscope::name_of(example.grouped_by));
  json.member("started_at", format_rfc3339(example.started_at));
  json.member("ended_at", format_rfc3339(example.ended_at));
  pids(json, example.pids);
  json.member("statements", example.statements);
  json.member("duration_ms", to_ms(example.duration));
  if (!example.other.pids.empty()) {
    const TraceId& other = example.other.trace_id;
    json.key("other");
    json.begin_object(kInline);
    json.key("trace_id");
    other.known() ? json.value(std::string_view(to_hex(other))) : json.null();
    pids(json, example.other.pids);
    json.end_object();
  }
  json.end_object();
}

void write_places(JsonWriter& json, const Finding& finding) {
  json.member("server", finding.server);
  json.member("database", finding.database);
  strings(json, "applications", finding.applications);
  json.key("routes");
  json.begin_array();
  for (const auto& [route, traces] : finding.routes) {
    json.begin_object(kInline);
    json.member("route", route);
    json.member("traces", traces);
    json.end_object();
  }
  json.end_array();
  json.key("places");
  json.begin_array();
  for (const auto& [place, traces] : finding.places) {
    json.begin_object(kInline);
    json.member("place", place);
    json.member("occurrences", traces);
    json.end_object();
  }
  json.end_array();
}

void write_cost(JsonWriter& json, const Finding& finding) {
  json.key("cost");
  json.begin_object(kInline);
  json.member("statements", finding.statements);
  json.member("excess_statements", finding.excess_statements);
  json.member("database_ms", to_ms(finding.database_time));
  json.member("saved_ms", to_ms(finding.saved));
  json.end_object();
  json.key("evidence");
  json.begin_object(kInline);
  for (const auto& [name, value] : finding.evidence)
    json.member(name, value);
  json.end_object();
}

}  // namespace

void write_query(JsonWriter& json, std::string_view name, const QueryFacts& query) {
  json.key(name);
  json.begin_object();
  json.member("fingerprint", query.fingerprint);
  json.key("queryid");
  query.queryid ? json.value(*query.queryid) : json.null();
  json.member("text", query.text);
  json.member("summary", query.summary);
  json.end_object();
}

void write_counts(JsonWriter& json, std::string_view name,
                  const std::map<std::string, uint64_t>& counts) {
  json.key(name);
  json.begin_object(kInline);
  for (const auto& [reason, count] : counts)
    json.member(reason, count);
  json.end_object();
}

void write_fidelity(JsonWriter& json, const InputFidelity& fidelity) {
  json.key("fidelity");
  json.begin_object();
  json.member("statements", name_of(fidelity.statements));
  json.member("parameters", fidelity.parameters);
  json.member("plans", fidelity.plans);
  json.member("trace_ids", name_of(fidelity.trace_ids));
  strings(json, "advice", fidelity.advice, JsonWriter::Layout::kLines);
  json.end_object();
}

void write_finding_members(JsonWriter& json, const Finding& finding) {
  json.member("id", finding.id);
  json.member("kind", finding.kind);
  json.member("severity", ectoscope::name_of(finding.severity));
  json.member("confidence", finding.confidence);
  write_places(json, finding);
  json.member("summary", finding.summary);
  write_query(json, "query", finding.query);
  if (finding.parent_query) {
    write_query(json, "parent_query", *finding.parent_query);
  } else {
    json.key("parent_query");
    json.null();
  }
  strings(json, "tables", finding.tables);
  strings(json, "columns", finding.columns);
  json.member("occurrences", finding.occurrences);
  json.member("first_seen", format_rfc3339(finding.first_seen));
  json.member("last_seen", format_rfc3339(finding.last_seen));
  write_cost(json, finding);
  write_fix(json, finding.fix);
  json.key("examples");
  json.begin_array();
  for (const Example& example : finding.examples)
    write_example(json, example);
  json.end_array();
}

void write_report_head(JsonWriter& json, std::string_view version, const InputFacts& input) {
  json.member("schema", 1);
  json.key("tool");
  json.begin_object(kInline);
  json.member("name", "ectoscope");
  json.member("version", version);
  json.end_object();
  write_input(json, input);
}

void write_json_report(const AnalysisReport& report, std::string_view version, std::ostream& out) {
  JsonWriter json(out);
  json.begin_object();
  write_report_head(json, version, report.input);
  json.key("findings");
  json.begin_array();
  for (const Finding& finding : report.findings) {
    json.begin_object();
    write_finding_members(json, finding);
    json.end_object();
  }
  json.end_array();
  write_notes(json, report);
  json.end_object();
}

}  // namespace ectoscope
