#include "outputs/text_report.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "outputs/finding_words.h"
#include "outputs/plan_lines.h"
#include "outputs/report_notes.h"

namespace ectoscope {
namespace {

constexpr size_t kLabel = 11;      // columns of "  query    "
constexpr size_t kShownSteps = 8;  // of a waterfall
constexpr size_t kStepName = 28;   // columns
constexpr size_t kStepTime = 10;   // columns
constexpr size_t kLeastColumns = 60;

namespace colour {
constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kYellow = "\x1b[1;33m";
constexpr std::string_view kCyan = "\x1b[1;36m";
constexpr std::string_view kGreen = "\x1b[32m";
}  // namespace colour

std::string_view colour_of(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return colour::kRed;
    case Severity::kWarning:
      return colour::kYellow;
    case Severity::kInfo:
      break;
  }
  return colour::kCyan;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

class Printer {
 public:
  Printer(const QueryTable& queries, const TextStyle& style, std::ostream& out)
      : queries_(queries), style_(style), out_(out) {
    style_.width = std::max(style_.width, kLeastColumns);
  }

  void finding(const Finding& finding) {
    headline(finding);
    sql("query", finding.query.text);
    if (finding.parent_query) sql("after", finding.parent_query->text);
    wrapped_row("where", harmless(where_of(finding)));
    wrapped_row("cost", cost_of(finding));
    row("sure", certainty_of(finding));
    fix(finding.fix);
    if (!finding.examples.empty()) worst(finding);
    row("id", painted(colour::kDim, harmless(finding.id)));
    out_ << '\n';
  }

  void briefly(const std::string& title, const std::vector<const Finding*>& findings) {
    if (findings.empty()) return;
    out_ << title << ":\n\n";
    for (const Finding* each : findings) {
      const Finding& finding = *each;
      std::string text = harmless(finding.kind);
      text += ": " + harmless(finding.summary);
      std::string severity(name_of(finding.severity));
      severity.resize(kLabel - 2, ' ');
      for (const std::string& line : wrap(text, style_.width - kLabel)) {
        out_ << "  " << painted(colour_of(finding.severity), severity) << line << '\n';
        severity.assign(kLabel - 2, ' ');
      }
    }
    out_ << '\n';
  }

  void closing(const AnalysisReport& report) {
    totals(report);
    unread(report.input.unparsed);
    for (const ReportNote& note : notes_of(report)) {
      paragraph(harmless(note.title) + (note.lines.empty() ? "." : ":"));
      for (const std::string& line : note.lines)
        listed(line);
    }
  }

 private:
  [[nodiscard]] std::string painted(std::string_view paint, const std::string& text) const {
    if (!style_.colours) return text;
    return std::string(paint) + text + std::string(colour::kReset);
  }

  /// `label` in its column, then the text, which has no line break.
  void row(std::string_view label, const std::string& text) {
    std::string start = "  " + std::string(label);
    start.resize(kLabel, ' ');
    out_ << painted(colour::kDim, start) << text << '\n';
  }

  void wrapped_row(std::string_view label, const std::string& text) {
    for (const std::string& line : wrap(text, style_.width - kLabel)) {
      row(label, line);
      label = "";
    }
  }

  void paragraph(const std::string& text) {
    for (const std::string& line : wrap(text, style_.width))
      out_ << line << '\n';
  }

  void headline(const Finding& finding) {
    std::string severity(name_of(finding.severity));
    std::transform(severity.begin(), severity.end(), severity.begin(),
                   [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    out_ << painted(colour_of(finding.severity), severity) << "  "
         << painted(colour::kBold, harmless(finding.kind)) << '\n';
    for (const std::string& line : wrap(harmless(finding.summary), style_.width - 2))
      out_ << "  " << painted(colour::kBold, line) << '\n';
    out_ << '\n';
  }

  void sql(std::string_view label, const std::string& text) {
    row(label, shorten_sql(harmless(text), style_.width - kLabel, style_));
  }

  void fix(const Fix& fix) {
    if (!fix.advice.empty()) wrapped_row("fix", harmless(fix.advice));
    for (const std::string& code : {fix.ecto, fix.migration, fix.sql}) {
      for (const std::string& line : lines_of(code))
        row("", "  " + painted(colour::kGreen, harmless(line)));
    }
  }

  void worst(const Finding& finding) {
    const Example& example = finding.examples[0];
    std::string text = count_of(example.statements, "statement", "statements") + " in " +
                       readable(example.duration) + ", " + readable_stamp(example.started_at);
    wrapped_row("worst", text);
    if (example.trace_id.known()) row("", "trace " + to_hex(example.trace_id));
    waterfall(finding);
    if (finding.plan != nullptr) plan(*finding.plan, table_of_fix(finding));
  }

  void plan(const Plan& plan, std::string_view table) {
    std::string_view label = "plan";
    for (const std::string& line : plan_lines(plan, table)) {
      row(label, shorten(harmless(line), style_.width - kLabel, style_));
      label = "";
    }
  }

  void waterfall(const Finding& finding) {
    const std::span<const TimelineStep> steps(finding.timeline);
    if (steps.empty()) return;
    Micros end{1};
    for (const TimelineStep& step : steps)
      end = std::max(end, step.offset + step.duration);
    const uint64_t all = std::max<uint64_t>(finding.examples[0].statements, steps.size());
    const size_t head = all <= kShownSteps ? kShownSteps : kShownSteps - 1;
    for (size_t i = 0; i < steps.size() && i < head; ++i)
      bar(steps[i], end);
    const bool last = steps.size() > head;  // the last one shows how far it goes
    const uint64_t shown = std::min(steps.size(), head) + (last ? 1 : 0);
    if (all > shown) {
      row("", std::string(style_.unicode ? "⋮ " : ": ") + with_commas(all - shown) + " more");
    }
    if (last) bar(steps.back(), end);
  }

  void bar(const TimelineStep& step, Micros end) {
    const size_t room = style_.width - kLabel - kStepName - kStepTime - 2;
    const auto scaled = [room, end](Micros at) {
      const double part = static_cast<double>(at.count()) / static_cast<double>(end.count());
      return static_cast<size_t>(std::lround(part * static_cast<double>(room)));
    };
    const size_t from = std::min(scaled(std::max(step.offset, Micros{0})), room - 1);
    const size_t to = std::clamp(scaled(step.offset + step.duration), from + 1, room);
    std::string name = step.query == kNoQuery ? "?" : harmless(queries_[step.query].summary);
    name = shorten(name, kStepName, style_);
    name += std::string(kStepName - columns(name), ' ');
    std::string time = readable(step.duration);
    time.insert(0, kStepTime - std::min(kStepTime, time.size()), ' ');
    std::string filled;
    for (size_t i = from; i < to; ++i)
      filled += style_.unicode ? "█" : "#";
    row("", name + " " + std::string(from, ' ') + painted(colour::kCyan, filled) +
                std::string(room - to, ' ') + " " + time);
  }

  void totals(const AnalysisReport& report) {
    uint64_t excess = 0;
    Micros saved{0};
    std::map<Severity, uint64_t, std::greater<>> severities;
    for (const Finding& finding : report.findings) {
      excess += finding.excess_statements;
      saved += finding.saved;
      ++severities[finding.severity];
    }
    std::string text = count_of(report.findings.size(), "finding", "findings");
    std::string parts;
    for (const auto& [severity, count] : severities)
      parts +=
          (parts.empty() ? "" : ", ") + with_commas(count) + " " + std::string(name_of(severity));
    if (!parts.empty()) text += " (" + parts + ")";
    text += " in " + count_of(report.input.statements, "statement", "statements") + " of " +
            count_of(report.input.traces, "request", "requests") + ", " +
            count_of(report.input.records, "log record", "log records") + ", " +
            readable_bytes(report.input.bytes) + ".";
    if (excess > 0) {
      text += " The fixes would save up to " + count_of(excess, "statement", "statements") +
              " and about " + readable(saved) + " of database time.";
    }
    for (const std::string& line : wrap(text, style_.width))
      out_ << painted(colour::kBold, line) << '\n';
  }

  void unread(const std::map<std::string, uint64_t>& unparsed) {
    if (unparsed.empty()) return;
    std::string text;
    for (const auto& [reason, count] : unparsed)
      text += (text.empty() ? "" : ", ") + with_commas(count) + " " + harmless(reason);
    paragraph("Skipped or only partly read: " + text + ".");
  }

  void listed(const std::string& text) {
    std::string_view start = "  - ";
    for (const std::string& line : wrap(harmless(text), style_.width - start.size())) {
      out_ << start << line << '\n';
      start = "    ";
    }
  }

  const QueryTable& queries_;
  TextStyle style_;
  std::ostream& out_;
};

}  // namespace

void write_text_report(const AnalysisReport& report, const QueryTable& queries,
                       const TextStyle& style, std::ostream& out, size_t in_full) {
  Printer printer(queries, style, out);
  std::vector<const Finding*> brief;
  std::vector<const Finding*> known;
  for (const Finding& finding : report.findings) {
    if (is_known(report, finding)) {
      known.push_back(&finding);
    } else if (in_full > 0) {
      --in_full;
      printer.finding(finding);
    } else {
      brief.push_back(&finding);
    }
  }
  printer.briefly("And " + count_of(brief.size(), "more finding", "more findings"), brief);
  printer.briefly("Known from the baseline: " + count_of(known.size(), "finding", "findings"),
                  known);
  printer.closing(report);
}

}  // namespace ectoscope
