#include "outputs/json_notes.h"

#include <string>

namespace ectoscope {
namespace {

constexpr auto kInline = JsonWriter::Layout::kInline;

void optional_text(JsonWriter& json, std::string_view name, const std::string& text) {
  json.key(name);
  text.empty() ? json.null() : json.value(std::string_view(text));
}

void write_rule(JsonWriter& json, const IgnoreRule& rule) {
  json.begin_object(kInline);
  json.member("where", rule.where);
  for (const auto& [name, text] :
       {std::pair("id", &rule.id), std::pair("kind", &rule.kind), std::pair("table", &rule.table),
        std::pair("route", &rule.route), std::pair("fingerprint", &rule.fingerprint)}) {
    if (!text->empty()) json.member(name, *text);
  }
  json.member("reason", rule.reason);
  optional_text(json, "owner", rule.owner);
  optional_text(json, "expires", rule.last_day);
  json.end_object();
}

void write_rules(JsonWriter& json, std::string_view name, const std::vector<IgnoreRule>& rules) {
  json.key(name);
  json.begin_array();
  for (const IgnoreRule& rule : rules)
    write_rule(json, rule);
  json.end_array();
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name);
  json.begin_array(kInline);
  for (const std::string& text : texts)
    json.value(std::string_view(text));
  json.end_array();
}

void write_ignored(JsonWriter& json, const Ignoring& ignoring) {
  json.key("ignored");
  json.begin_array();
  for (const IgnoredFinding& ignored : ignoring.findings) {
    const Finding& finding = ignored.finding;
    json.begin_object();
    json.member("id", finding.id);
    json.member("kind", finding.kind);
    json.member("severity", name_of(finding.severity));
    json.member("summary", finding.summary);
    json.member("occurrences", finding.occurrences);
    json.member("excess_statements", finding.excess_statements);
    json.key("rule");
    write_rule(json, ignored.rule);
    json.end_object();
  }
  json.end_array();
}

void write_gate(JsonWriter& json, const Gate& gate) {
  json.begin_object();
  json.member("fail_on", name_of(gate.fail_on));
  json.member("passed", gate.passed);
  optional_text(json, "blind", gate.blind);
  write_texts(json, "failing", gate.failing);
  write_texts(json, "known", gate.known);
  std::vector<std::string> gone;
  for (const BaselineEntry& entry : gate.gone)
    gone.push_back(entry.id);
  write_texts(json, "gone", gone);
  json.end_object();
}

void write_why(JsonWriter& json, const Explanation& why) {
  json.begin_object();
  json.member("asked", why.asked);
  json.member("answer", why.answer);
  json.key("near_misses");
  json.begin_array();
  for (const Miss& miss : why.misses)
    write_miss(json, miss);
  json.end_array();
  json.member("near_misses_left_out", why.misses_left_out);
  json.end_object();
}

}  // namespace

void write_miss(JsonWriter& json, const Miss& miss) {
  json.begin_object();
  json.member("id", miss.id);
  json.member("database", miss.database);
  json.member("summary", miss.query.summary);
  json.member("text", miss.query.text);
  json.member("why", miss.why);
  optional_text(json, "setting", miss.option);
  optional_text(json, "nearest", miss.seen);
  optional_text(json, "wanted", miss.threshold);
  json.member("times", miss.times);
  json.end_object();
}

void write_ignoring(JsonWriter& json, const Ignoring& ignoring) {
  write_ignored(json, ignoring);
  json.key("ignoring");
  json.begin_object();
  write_texts(json, "files", ignoring.files);
  write_rules(json, "expired", ignoring.expired);
  write_rules(json, "unused", ignoring.unused);
  json.member("statements", ignoring.statements);
  json.key("shapes");
  json.begin_array();
  for (const IgnoredShape& shape : ignoring.shapes) {
    json.begin_object(kInline);
    json.member("database", shape.database);
    json.member("fingerprint", shape.query.fingerprint);
    json.member("text", shape.query.text);
    json.member("executions", shape.executions);
    json.member("database_ms", to_ms(shape.duration));
    json.end_object();
  }
  json.end_array();
  json.member("statements_of_shapes_left_out", ignoring.statements_left_out);
  json.end_object();
}

void write_notes(JsonWriter& json, const AnalysisReport& report) {
  write_ignoring(json, report.ignoring);
  json.key("gate");
  if (report.gate) {
    write_gate(json, *report.gate);
  } else {
    json.null();
  }
  if (!report.why) return;
  json.key("why");
  write_why(json, *report.why);
}

}  // namespace ectoscope
