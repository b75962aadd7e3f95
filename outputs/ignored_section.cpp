#include "outputs/ignored_section.h"

#include <algorithm>

#include "outputs/report_notes.h"

namespace ectoscope {
namespace {

template <typename Item>
void append(std::vector<Item>& all, const std::vector<Item>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

/// Servers share the configuration's rules: each is listed once, and unused only where all say so.
void keep_once(std::vector<IgnoreRule>& rules) {
  std::vector<IgnoreRule> once;
  for (IgnoreRule& rule : rules) {
    const bool seen = std::any_of(once.begin(), once.end(),
                                  [&rule](const IgnoreRule& it) { return it.where == rule.where; });
    if (!seen) once.push_back(std::move(rule));
  }
  rules = std::move(once);
}

}  // namespace

Ignoring all_ignored(const Snapshot& snapshot) {
  Ignoring all;
  for (const ServerState& server : snapshot.servers) {
    if (server.ignoring == nullptr) continue;
    append(all.findings, server.ignoring->findings);
    append(all.expired, server.ignoring->expired);
    append(all.unused, server.ignoring->unused);
    append(all.shapes, server.ignoring->shapes);
    all.statements += server.ignoring->statements;
    all.statements_left_out += server.ignoring->statements_left_out;
  }
  std::erase_if(all.unused, [&all](const IgnoreRule& rule) {
    return std::any_of(all.findings.begin(), all.findings.end(),
                       [&rule](const IgnoredFinding& it) { return it.rule.where == rule.where; });
  });
  keep_once(all.expired);
  keep_once(all.unused);
  return all;
}

void ignored_section(HtmlWriter& html, const Snapshot& snapshot) {
  for (const ReportNote& note : ignoring_notes(all_ignored(snapshot))) {
    html.open("details", {{"class", "note"}});
    html.element("summary", {}, note.title);
    html.open("ul");
    for (const std::string& line : note.lines)
      html.element("li", {}, line);
    html.close("ul");
    html.close("details");
  }
}

}  // namespace ectoscope
