#include "outputs/finding_words.h"

#include <cmath>

#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

constexpr size_t kShown = 3;  // routes, and places

}  // namespace

std::string where_of(const Finding& finding) {
  std::string text;
  for (size_t i = 0; i < finding.routes.size() && i < kShown; ++i) {
    const auto& [route, traces] = finding.routes[i];
    text += (text.empty() ? "" : ", ") + route + " (" + count_of(traces, "trace", "traces") + ")";
  }
  if (finding.routes.size() > kShown) {
    text += " and " + count_of(finding.routes.size() - kShown, "more route", "more routes");
  }
  if (!text.empty()) text += "; ";
  for (size_t i = 0; i < finding.places.size() && i < kShown; ++i)
    text += (i == 0 ? "" : ", ") + finding.places[i].first;
  if (!finding.places.empty()) text += "; ";
  for (size_t i = 0; i < finding.applications.size(); ++i)
    text += (i == 0 ? "application " : ", ") + finding.applications[i];
  if (!finding.applications.empty()) text += "; ";
  return text + (finding.database.empty() ? "database not logged" : "database " + finding.database);
}

std::string cost_of(const Finding& finding) {
  std::string text = count_of(finding.statements, "statement", "statements");
  if (finding.excess_statements > 0) {
    text += ", " + with_commas(finding.excess_statements) + " more than needed";
  }
  text += "; " + readable(finding.database_time) + " in the database";
  if (finding.saved.count() > 0) text += ", about " + readable(finding.saved) + " to save";
  return text;
}

std::string certainty_of(const Finding& finding) {
  std::string text = std::to_string(std::lround(finding.confidence * 100)) + " %";
  if (finding.examples.empty() || finding.examples[0].grouped_by == GroupedBy::kNone) return text;
  text += ", requests told apart by ";
  text += finding.examples[0].grouped_by == GroupedBy::kChain
              ? "how statements follow each other"
              : name_of(finding.examples[0].grouped_by);
  return text;
}

std::string worst_of(const Finding& finding) {
  if (finding.examples.empty()) return {};
  const Example& example = finding.examples[0];
  std::string text = count_of(example.statements, "statement", "statements") + " in " +
                     readable(example.duration) + ", " + readable_stamp(example.started_at);
  if (example.trace_id.known()) text += ", trace " + to_hex(example.trace_id);
  return text;
}

std::string_view table_of_fix(const Finding& finding) {
  return finding.fix.index ? std::string_view(finding.fix.index->table) : std::string_view();
}

std::string readable_stamp(EventTime at) {
  std::string text = format_rfc3339(at);  // 2026-11-22T08:29:33.354000Z
  text[10] = ' ';
  return text.substr(0, 23) + " UTC";
}

}  // namespace ectoscope
