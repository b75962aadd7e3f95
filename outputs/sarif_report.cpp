#include "outputs/sarif_report.h"

#include <charconv>
#include <map>
#include <string>

#include "outputs/detector_pages.h"
#include "outputs/finding_words.h"
#include "outputs/html.h"
#include "outputs/json_writer.h"
#include "outputs/report_notes.h"

namespace ectoscope {
namespace {

constexpr auto kInline = JsonWriter::Layout::kInline;
constexpr size_t kMostPlaces = 10;  // of one result

std::string_view level_of(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kInfo:
      break;
  }
  return "note";
}

void text_object(JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name);
  json.begin_object(kInline);
  json.member("text", text);
  json.end_object();
}

/// "lib/shop.ex:12" in its two parts; 0: no line.
std::pair<std::string_view, uint32_t> split_place(std::string_view place) {
  const size_t colon = place.rfind(':');
  if (colon == std::string_view::npos) return {place, 0};
  uint32_t line = 0;
  const auto [end, error] =
      std::from_chars(place.data() + colon + 1, place.data() + place.size(), line);
  if (error != std::errc{} || end != place.data() + place.size()) return {place, 0};
  return {place.substr(0, colon), line};
}

/// The path as a URI, its segments escaped.
std::string uri_of(std::string_view path) {
  std::string uri = path.starts_with('/') ? "file://" : "";
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    uri += url_escaped(path.substr(begin, end - begin));
    if (end < path.size()) uri += '/';
    begin = end + 1;
  }
  return uri;
}

class SarifWriter {
 public:
  SarifWriter(const AnalysisReport& report, std::ostream& out) : report_(report), json_(out) {
    for (const Finding& finding : report.findings)
      rules_.emplace(finding.kind, 0);
    for (const IgnoredFinding& ignored : report.ignoring.findings)
      rules_.emplace(ignored.finding.kind, 0);
    uint64_t index = 0;
    for (auto& [kind, number] : rules_)
      number = index++;
  }

  void write(std::string_view version) {
    json_.begin_object();
    json_.member("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json_.member("version", "2.1.0");
    json_.key("runs");
    json_.begin_array();
    json_.begin_object();
    tool(version);
    invocation();
    json_.member("columnKind", "unicodeCodePoints");
    json_.key("results");
    json_.begin_array();
    for (const Finding& finding : report_.findings)
      result(finding, nullptr);
    for (const IgnoredFinding& ignored : report_.ignoring.findings)
      result(ignored.finding, &ignored.rule);
    json_.end_array();
    json_.end_object();
    json_.end_array();
    json_.end_object();
  }

 private:
  void tool(std::string_view version) {
    json_.key("tool");
    json_.begin_object();
    json_.key("driver");
    json_.begin_object();
    json_.member("name", "ectoscope");
    json_.member("version", version);
    json_.member("semanticVersion", version);
    json_.key("rules");
    json_.begin_array();
    for (const auto& [kind, index] : rules_)
      rule(kind);
    json_.end_array();
    json_.end_object();
    json_.end_object();
  }

  void rule(const std::string& kind) {
    json_.begin_object();
    json_.member("id", kind);
    const std::string problem = problem_of(kind);
    const std::string_view page = detector_page(kind);
    if (!problem.empty()) {
      text_object(json_, "shortDescription", problem.substr(0, problem.find(". ") + 1));
      text_object(json_, "fullDescription", problem);
      json_.key("help");
      json_.begin_object();
      json_.member("text", page);
      json_.member("markdown", page);
      json_.end_object();
    }
    json_.key("properties");
    json_.begin_object(kInline);
    json_.key("tags");
    json_.begin_array(kInline);
    json_.value("performance");
    json_.value("database");
    json_.value("ecto");
    json_.end_array();
    json_.end_object();
    json_.end_object();
  }

  void invocation() {
    json_.key("invocations");
    json_.begin_array();
    json_.begin_object();
    json_.member("executionSuccessful", true);
    if (report_.gate && !report_.gate->blind.empty()) {
      json_.key("toolExecutionNotifications");
      json_.begin_array();
      json_.begin_object(kInline);
      json_.member("level", "error");
      text_object(json_, "message", report_.gate->blind);
      json_.end_object();
      json_.end_array();
    }
    json_.end_object();
    json_.end_array();
  }

  void result(const Finding& finding, const IgnoreRule* ignored_by) {
    json_.begin_object();
    json_.member("ruleId", finding.kind);
    json_.member("ruleIndex", rules_.at(finding.kind));
    json_.member("level", level_of(finding.severity));
    message(finding);
    json_.key("partialFingerprints");
    json_.begin_object(kInline);
    json_.member("ectoscopeFindingId/v1", finding.id);
    json_.end_object();
    locations(finding);
    json_.key("suppressions");
    json_.begin_array();
    if (ignored_by != nullptr) suppression(*ignored_by);
    json_.end_array();
    if (report_.gate && ignored_by == nullptr) {
      json_.member("baselineState", is_known(report_, finding) ? "unchanged" : "new");
    }
    properties(finding);
    json_.end_object();
  }

  void message(const Finding& finding) {
    std::string text = finding.summary;
    if (!finding.fix.advice.empty()) text += "\n\n" + finding.fix.advice;
    for (const std::string& code : {finding.fix.ecto, finding.fix.migration, finding.fix.sql}) {
      if (!code.empty()) text += "\n\n" + code;
    }
    text += "\n\nIn " + where_of(finding) + ".\n" + finding.query.text;
    text_object(json_, "message", text);
  }

  void locations(const Finding& finding) {
    json_.key("locations");
    json_.begin_array();
    for (size_t i = 0; i < finding.places.size() && i < kMostPlaces; ++i) {
      json_.begin_object();
      place(finding.places[i].first);
      routes(finding);
      json_.end_object();
    }
    if (finding.places.empty() && !finding.routes.empty()) {
      json_.begin_object();
      routes(finding);
      json_.end_object();
    }
    json_.end_array();
  }

  void place(std::string_view text) {
    const auto [path, line] = split_place(text);
    json_.key("physicalLocation");
    json_.begin_object(kInline);
    json_.key("artifactLocation");
    json_.begin_object(kInline);
    json_.member("uri", uri_of(path));
    if (!path.starts_with('/')) json_.member("uriBaseId", "%SRCROOT%");
    json_.end_object();
    if (line > 0) {
      json_.key("region");
      json_.begin_object(kInline);
      json_.member("startLine", uint64_t{line});
      json_.end_object();
    }
    json_.end_object();
  }

  void routes(const Finding& finding) {
    json_.key("logicalLocations");
    json_.begin_array();
    for (size_t i = 0; i < finding.routes.size() && i < kMostPlaces; ++i) {
      json_.begin_object(kInline);
      json_.member("fullyQualifiedName", finding.routes[i].first);
      json_.end_object();
    }
    json_.end_array();
  }

  void suppression(const IgnoreRule& rule) {
    std::string why = rule.reason;
    if (!rule.owner.empty()) why += " (" + rule.owner + ")";
    if (!rule.last_day.empty()) why += ", until " + rule.last_day;
    json_.begin_object(kInline);
    json_.member("kind", "external");
    json_.member("status", "accepted");
    json_.member("justification", why + " [" + rule.where + "]");
    json_.end_object();
  }

  void properties(const Finding& finding) {
    json_.key("properties");
    json_.begin_object(kInline);
    json_.member("severity", name_of(finding.severity));
    json_.member("confidence", finding.confidence);
    json_.member("occurrences", finding.occurrences);
    json_.member("excessStatements", finding.excess_statements);
    json_.member("savedMs", to_ms(finding.saved));
    json_.end_object();
  }

  const AnalysisReport& report_;
  JsonWriter json_;
  std::map<std::string, uint64_t> rules_;  // kind, place in the array
};

}  // namespace

void write_sarif_report(const AnalysisReport& report, std::string_view version, std::ostream& out) {
  SarifWriter(report, out).write(version);
}

}  // namespace ectoscope
