#include "outputs/markdown_report.h"

#include <algorithm>
#include <string>
#include <vector>

#include "outputs/finding_words.h"
#include "outputs/report_notes.h"
#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

constexpr size_t kMostBytes = 60'000;  // of findings; the rest of the comment is for the notes
constexpr size_t kMostRows = 50;
constexpr size_t kMostNoteBytes = 4'000;
constexpr size_t kLongestCell = 160;  // columns

bool word_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::string_view mark_of(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return "🔴 critical";
    case Severity::kWarning:
      return "🟠 warning";
    case Severity::kInfo:
      break;
  }
  return "🔵 info";
}

/// Code in a fence that is longer than any in it.
std::string fenced(std::string_view language, std::string_view code) {
  size_t longest = 2;
  size_t run = 0;
  std::string text;
  const auto add_line = [&text](std::string_view line) { text += harmless(line) + "\n"; };
  for (const char c : code) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  while (!code.empty()) {
    const size_t end = std::min(code.find('\n'), code.size());
    add_line(code.substr(0, end));
    code.remove_prefix(std::min(end + 1, code.size()));
  }
  const std::string fence(longest + 1, '`');
  return "\n" + fence + std::string(language) + "\n" + text + fence + "\n";
}

std::string cell(std::string_view text) {
  return markdown_escaped(shorten(harmless(text), kLongestCell, {}));
}

std::string row_of(const Finding& finding) {
  std::string query = cell(finding.query.summary);
  if (finding.parent_query) query += " after " + cell(finding.parent_query->summary);
  std::string where;
  if (!finding.places.empty()) {
    where = cell(finding.places[0].first);
  } else if (!finding.routes.empty()) {
    where = cell(finding.routes[0].first);
  } else {
    where = cell(finding.database);
  }
  return "| " + std::string(mark_of(finding.severity)) + " | " + cell(finding.kind) + " | " +
         query + " | " + where + " | " + with_commas(finding.excess_statements) + " of " +
         with_commas(finding.statements) + " | " + readable(finding.saved) + " |\n";
}

std::string details_of(const Finding& finding) {
  std::string text = "<details><summary>" + markdown_escaped(finding.kind) + ": " +
                     markdown_escaped(finding.summary) + "</summary>\n\n";
  if (!finding.fix.advice.empty()) text += markdown_escaped(finding.fix.advice) + "\n";
  if (!finding.fix.ecto.empty()) text += fenced("elixir", finding.fix.ecto);
  if (!finding.fix.migration.empty()) text += fenced("elixir", finding.fix.migration);
  if (!finding.fix.sql.empty()) text += fenced("sql", finding.fix.sql);
  text += "\nWhere: " + markdown_escaped(where_of(finding)) + "  \n";
  text += "Cost: " + markdown_escaped(cost_of(finding)) + "  \n";
  text += "Sure: " + markdown_escaped(certainty_of(finding)) + "  \n";
  if (const std::string worst = worst_of(finding); !worst.empty()) {
    text += "Worst: " + markdown_escaped(worst) + "  \n";
  }
  text += "Id: " + markdown_escaped(finding.id) + "\n";
  text += fenced("sql", finding.query.text + (finding.parent_query
                                                  ? "\n-- after\n" + finding.parent_query->text
                                                  : std::string()));
  return text + "\n</details>\n\n";
}

std::string heading_of(const AnalysisReport& report) {
  if (report.gate) {
    return std::string(report.gate->passed ? "✅" : "❌") + " ectoscope " +
           markdown_escaped(gate_sentence(*report.gate));
  }
  return "ectoscope: " + count_of(report.findings.size(), "finding", "findings");
}

/// The table and the folded details of `findings`, as far as `room` goes.
std::string listed(const std::vector<const Finding*>& findings, size_t room) {
  std::string text;
  if (findings.empty()) return text;
  text +=
      "| | kind | query | where | statements too many | to save |\n|---|---|---|---|---:|---:|\n";
  const size_t rows = std::min(findings.size(), kMostRows);
  for (size_t i = 0; i < rows; ++i)
    text += row_of(*findings[i]);
  if (rows < findings.size()) {
    text += "\nand " + with_commas(findings.size() - rows) + " more\n";
  }
  text += "\n";
  size_t detailed = 0;
  for (; detailed < findings.size(); ++detailed) {
    const std::string details = details_of(*findings[detailed]);
    if (text.size() + details.size() > room) break;
    text += details;
  }
  if (detailed < findings.size()) {
    text += with_commas(findings.size() - detailed) +
            " have no details here; `--output=html` has them all.\n\n";
  }
  return text;
}

std::string folded(const ReportNote& note) {
  std::string text = "<details><summary>" + markdown_escaped(note.title) + "</summary>\n\n";
  size_t left = note.lines.size();
  for (const std::string& line : note.lines) {
    const std::string item = "- " + markdown_escaped(line) + "\n";
    if (text.size() + item.size() > kMostNoteBytes) break;
    text += item;
    --left;
  }
  if (left > 0) text += "- and " + with_commas(left) + " more\n";
  return text + "\n</details>\n\n";
}

}  // namespace

std::string markdown_escaped(std::string_view text) {
  constexpr std::string_view kSpecial = "&<>\"|`*[]@#\\~$_:!";
  const std::string plain = harmless(text);
  std::string escaped;
  for (size_t i = 0; i < plain.size(); ++i) {
    const char c = plain[i];
    const char next = i + 1 < plain.size() ? plain[i + 1] : ' ';
    // An underscore within a word is no emphasis; a colon makes an emoji or a link only before
    // these.
    const bool harmless_here =
        (c == '_' && i > 0 && word_char(plain[i - 1]) && word_char(next)) ||
        (c == ':' && next != '/' && (!word_char(next) || (next >= '0' && next <= '9')));
    if (kSpecial.find(c) == std::string_view::npos || harmless_here) {
      escaped += c;
    } else {
      escaped += "&#" + std::to_string(static_cast<int>(c)) + ";";
    }
  }
  return escaped;
}

void write_markdown_report(const AnalysisReport& report, std::ostream& out) {
  std::vector<const Finding*> news;
  std::vector<const Finding*> known;
  for (const Finding& finding : report.findings)
    (is_known(report, finding) ? known : news).push_back(&finding);
  std::string text = "### " + heading_of(report) + "\n\n";
  if (report.gate && !report.gate->blind.empty()) {
    text += "**" + markdown_escaped(report.gate->blind) + "**\n\n";
  }
  text += listed(news, kMostBytes * 3 / 5);
  if (!known.empty()) {
    text += "<details><summary>Known from the baseline: " +
            count_of(known.size(), "finding", "findings") + "</summary>\n\n";
    text += listed(known, kMostBytes / 5) + "</details>\n\n";
  }
  for (const ReportNote& note : notes_of(report)) {
    if (!note.lines.empty() && !note.title.starts_with("Gate: ") && text.size() < kMostBytes) {
      text += folded(note);
    }
  }
  text += "<sub>" + count_of(report.input.statements, "statement", "statements") + " of " +
          count_of(report.input.traces, "request", "requests") + " in " +
          readable_bytes(report.input.bytes) + " of log.</sub>\n";
  out << text;
}

}  // namespace ectoscope
