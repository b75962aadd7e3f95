#include "outputs/html_report.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "outputs/finding_words.h"
#include "outputs/html.h"
#include "outputs/report_notes.h"
#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ground: #f6f6fa; --paper: #fff; --ink: #1b1b29; --soft: #5c5c70; --line: #dedee8;
  --code: #f1f1f8; --bar: #7a6fe0; --critical: #b3261e; --warning: #8a5300; --info: #1d5fa8; }
@media (prefers-color-scheme: dark) { :root { --ground: #14141c; --paper: #1d1d28; --ink: #ebebf4; --soft: #a5a5b8;
  --line: #33333f; --code: #16161f; --bar: #8e83f2; --critical: #ff9d94; --warning: #ffc069; --info: #8ec3ff; } }
body { margin: 0 auto; max-width: 68rem; padding: 1rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
details { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; margin: .6rem 0; padding: .6rem 1rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
pre { background: var(--code); border-radius: 6px; padding: .6rem; overflow-x: auto; white-space: pre-wrap;
  overflow-wrap: anywhere; }
code, pre { font: .86rem/1.45 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt, small, footer { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.severity { font-weight: 600; }
.critical { color: var(--critical); } .warning { color: var(--warning); } .info { color: var(--info); }
.gate { border-left: 6px solid var(--info); padding: .4rem 1rem; background: var(--paper); }
.gate.failed { border-color: var(--critical); }
svg { width: 100%; height: auto; }
svg rect { fill: var(--bar); } svg text { fill: var(--ink); font: 11px ui-monospace, monospace; }
@media print { details { break-inside: avoid; } }
)";

constexpr size_t kShownSteps = 40;
constexpr int kStepHeight = 16;  // of the waterfall, in its own units
constexpr int kNamesWidth = 240;
constexpr int kBarsWidth = 640;
constexpr size_t kStepName = 34;  // columns

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

class HtmlReport {
 public:
  HtmlReport(const AnalysisReport& report, const QueryTable& queries)
      : report_(report), queries_(queries) {}

  std::string write(std::string_view version) {
    html_.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n");
    html_.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
    html_.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
    html_.raw("style-src 'unsafe-inline'\"/>\n<title>ectoscope report</title>\n<style>");
    html_.raw(kStyle);
    html_.raw("</style>\n</head>\n<body>\n<main>\n");
    html_.element("h1", {},
                  "ectoscope: " + count_of(report_.findings.size(), "finding", "findings"));
    gate();
    findings();
    notes();
    html_.raw("</main>\n<footer>\n");
    footer(version);
    html_.raw("</footer>\n</body>\n</html>\n");
    return html_.take();
  }

 private:
  void gate() {
    if (!report_.gate) return;
    html_.open("p", {{"class", report_.gate->passed ? "gate" : "gate failed"}});
    html_.text("Gate " + gate_sentence(*report_.gate) + ".");
    if (!report_.gate->blind.empty()) html_.text(" " + report_.gate->blind);
    html_.close("p");
    html_.raw("\n");
  }

  void findings() {
    bool known = false;
    for (const Finding& finding : report_.findings) {
      known = known || is_known(report_, finding);
      if (!is_known(report_, finding)) one(finding);
    }
    if (!known) return;
    html_.element("h2", {}, "Known from the baseline");
    for (const Finding& finding : report_.findings) {
      if (is_known(report_, finding)) one(finding);
    }
  }

  void one(const Finding& finding) {
    const std::string severity(name_of(finding.severity));
    html_.open("details", {{"id", finding.id}});
    html_.open("summary");
    html_.element("span", {{"class", "severity " + severity}}, severity);
    html_.raw(" ");
    html_.element("code", {}, finding.kind);
    html_.raw(" ");
    html_.text(finding.summary);
    html_.close("summary");
    html_.raw("\n");
    if (!finding.fix.advice.empty()) html_.element("p", {}, finding.fix.advice);
    for (const std::string& code : {finding.fix.ecto, finding.fix.migration, finding.fix.sql}) {
      if (!code.empty()) html_.element("pre", {}, code);
    }
    html_.open("dl");
    term("query", finding.query.text, "code");
    if (finding.parent_query) term("after", finding.parent_query->text, "code");
    term("where", where_of(finding));
    term("cost", cost_of(finding));
    term("sure", certainty_of(finding));
    term("worst", worst_of(finding));
    term("id", finding.id, "code");
    html_.close("dl");
    html_.raw("\n");
    waterfall(finding);
    html_.close("details");
    html_.raw("\n");
  }

  void term(std::string_view name, const std::string& text, std::string_view element = {}) {
    if (text.empty()) return;
    html_.element("dt", {}, name);
    html_.open("dd");
    if (element.empty()) {
      html_.text(text);
    } else {
      html_.element(element, {}, text);
    }
    html_.close("dd");
  }

  void waterfall(const Finding& finding) {
    const size_t shown = std::min(finding.timeline.size(), kShownSteps);
    if (shown < 2 || finding.examples.empty()) return;
    Micros end{1};
    for (size_t i = 0; i < shown; ++i)
      end = std::max(end, finding.timeline[i].offset + finding.timeline[i].duration);
    const auto scaled = [end](Micros time) {
      return static_cast<double>(std::max(time, Micros{0}).count()) * kBarsWidth /
             static_cast<double>(end.count());
    };
    const int height = static_cast<int>(shown) * kStepHeight;
    html_.open("svg", {{"viewBox", "0 0 " + std::to_string(kNamesWidth + kBarsWidth) + " " +
                                       std::to_string(height)},
                       {"role", "img"},
                       {"aria-label", "the first statements of the worst request, by time"}});
    for (size_t i = 0; i < shown; ++i) {
      const TimelineStep& step = finding.timeline[i];
      const int top = static_cast<int>(i) * kStepHeight;
      const std::string name = step.query == kNoQuery ? "?" : queries_[step.query].summary;
      html_.element("text", {{"x", "0"}, {"y", std::to_string(top + 12)}},
                    shorten(harmless(name), kStepName, {}));
      html_.empty("rect", {{"x", number(kNamesWidth + scaled(step.offset))},
                           {"y", std::to_string(top + 3)},
                           {"width", number(std::max(1.0, scaled(step.duration)))},
                           {"height", "10"}});
    }
    html_.close("svg");
    if (shown < finding.timeline.size() || shown < finding.examples[0].statements) {
      html_.element("small", {}, "The first " + with_commas(shown) + " statements of the worst.");
    }
  }

  void notes() {
    for (const ReportNote& note : notes_of(report_)) {
      if (note.title.starts_with("Gate: ")) continue;
      html_.element("h2", {}, note.title);
      if (note.lines.empty()) continue;
      html_.open("ul");
      for (const std::string& line : note.lines)
        html_.element("li", {}, line);
      html_.close("ul");
      html_.raw("\n");
    }
  }

  void footer(std::string_view version) {
    std::string text = count_of(report_.input.statements, "statement", "statements") + " of " +
                       count_of(report_.input.traces, "request", "requests") + ", " +
                       count_of(report_.input.records, "log record", "log records") + ", " +
                       readable_bytes(report_.input.bytes) + ". ectoscope " + std::string(version);
    html_.element("p", {}, text);
    if (report_.input.unparsed.empty()) return;
    text = "Skipped or only partly read:";
    for (const auto& [reason, count] : report_.input.unparsed)
      text += " " + with_commas(count) + " " + reason;
    html_.element("p", {}, text);
  }

  const AnalysisReport& report_;
  const QueryTable& queries_;
  HtmlWriter html_;
};

}  // namespace

void write_html_report(const AnalysisReport& report, const QueryTable& queries,
                       std::string_view version, std::ostream& out) {
  out << HtmlReport(report, queries).write(version);
}

}  // namespace ectoscope
