#include "outputs/report_notes.h"

#include <algorithm>

#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

constexpr size_t kMostLines = 20;

/// The first lines of `items`, and how many more there are.
template <typename Item, typename Tell>
ReportNote note_of(std::string title, const std::vector<Item>& items, const Tell& tell) {
  ReportNote note{std::move(title), {}};
  for (size_t i = 0; i < items.size() && i < kMostLines; ++i)
    note.lines.push_back(tell(items[i]));
  if (items.size() > kMostLines) {
    note.lines.push_back("and " + with_commas(items.size() - kMostLines) + " more");
  }
  return note;
}

std::string selectors_of(const IgnoreRule& rule) {
  std::string text;
  const auto add = [&text](const char* key, const std::string& value) {
    if (!value.empty()) text += (text.empty() ? "" : ", ") + std::string(key) + " " + value;
  };
  add("id", rule.id);
  add("kind", rule.kind);
  add("table", rule.table);
  add("route", rule.route);
  add("fingerprint", rule.fingerprint);
  return text;
}

ReportNote gate_note(const AnalysisReport& report) {
  const Gate& gate = *report.gate;
  ReportNote note{"Gate: " + gate_sentence(gate), {}};
  if (!gate.blind.empty()) note.lines.push_back(gate.blind);
  for (const Finding& finding : report.findings) {
    if (std::find(gate.failing.begin(), gate.failing.end(), finding.id) == gate.failing.end())
      continue;
    if (note.lines.size() == kMostLines) {
      note.lines.emplace_back("and more");
      break;
    }
    note.lines.push_back(finding.id + ": " + finding.summary);
  }
  return note;
}

ReportNote why_note(const Explanation& why) {
  ReportNote note =
      note_of("Why " + why.asked + ": " + why.answer, why.misses, [](const Miss& miss) {
        std::string text = miss.id + ": " + miss.query.summary;
        if (!miss.database.empty()) text += " (database " + miss.database + ")";
        text += ": " + miss.why;
        if (!miss.option.empty()) {
          text +=
              " came to " + miss.seen + " at most, " + miss.option + " asks for " + miss.threshold;
        }
        return text + "; " + count_of(miss.times, "time", "times");
      });
  if (why.misses_left_out > 0) {
    note.lines.push_back(with_commas(why.misses_left_out) + " more are further off");
  }
  return note;
}

void add_ignoring(const Ignoring& ignoring, std::vector<ReportNote>& notes) {
  notes.push_back(note_of("Ignored: " + count_of(ignoring.findings.size(), "finding", "findings"),
                          ignoring.findings, [](const IgnoredFinding& it) {
                            std::string text = it.finding.id + ": " + it.finding.summary +
                                               " Ignored by " + it.rule.where + ": " +
                                               it.rule.reason;
                            if (!it.rule.owner.empty()) text += " (" + it.rule.owner + ")";
                            if (!it.rule.last_day.empty()) text += ", until " + it.rule.last_day;
                            return text;
                          }));
  notes.push_back(note_of("Ignore rules that have expired and hide nothing any more",
                          ignoring.expired, [](const IgnoreRule& rule) {
                            return rule.where + ": " + selectors_of(rule) + ", until " +
                                   rule.last_day + ": " + rule.reason;
                          }));
  notes.push_back(note_of("Ignore rules that fit nothing: take them out if they are done with",
                          ignoring.unused, [](const IgnoreRule& rule) {
                            return rule.where + ": " + selectors_of(rule) + ": " + rule.reason;
                          }));
  notes.push_back(note_of("Not judged, for their ectoscope:ignore comment: " +
                              count_of(ignoring.statements, "statement", "statements"),
                          ignoring.shapes, [](const IgnoredShape& shape) {
                            return count_of(shape.executions, "execution", "executions") + " of " +
                                   shape.query.summary + ": " + shape.query.text;
                          }));
}

}  // namespace

std::vector<std::string> hidden_by(const InputFidelity& fidelity) {
  using TraceIds = InputFidelity::TraceIds;
  std::vector<std::string> lines = fidelity.advice;
  if (fidelity.statements == InputFidelity::Statements::kNone) return lines;
  switch (fidelity.trace_ids) {
    case TraceIds::kAll:
      break;
    case TraceIds::kSome:
      lines.emplace_back(
          "Some statements carry no traceparent comment: their requests are told apart by how "
          "statements follow each other, which misses some.");
      break;
    case TraceIds::kStale:
      lines.emplace_back(
          "The trace ids in comments are stale, and not believed: a prepared statement keeps the "
          "comment that it was prepared with. Give comments with prepare: :unnamed only; "
          "deploy/ecto has one file that does.");
      break;
    case TraceIds::kNone:
      lines.emplace_back(
          "No statement says which request it belongs to: requests are told apart by how "
          "statements follow each other, which misses some. A traceparent comment on each tells; "
          "deploy/ecto has one file to copy.");
      break;
  }
  return lines;
}

std::vector<ReportNote> ignoring_notes(const Ignoring& ignoring) {
  std::vector<ReportNote> notes;
  add_ignoring(ignoring, notes);
  std::erase_if(notes, [](const ReportNote& note) { return note.lines.empty(); });
  return notes;
}

std::string gate_sentence(const Gate& gate) {
  const std::string severity(name_of(gate.fail_on));
  std::string text;
  if (!gate.blind.empty()) text = "FAILED, because the input does not show enough";
  if (!gate.failing.empty()) {
    text += (text.empty() ? "FAILED: " : ", and ") +
            count_of(gate.failing.size(), gate.known.empty() ? "finding" : "new finding",
                     gate.known.empty() ? "findings" : "new findings") +
            " of severity " + severity + " or worse";
  }
  if (text.empty()) {
    text = "passed: no " + std::string(gate.known.empty() ? "" : "new ") + "finding of severity " +
           severity + " or worse";
  }
  if (!gate.known.empty()) {
    text += ", " + with_commas(gate.known.size()) + " known from the baseline";
  }
  return text;
}

bool is_known(const AnalysisReport& report, const Finding& finding) {
  return report.gate &&
         std::binary_search(report.gate->known.begin(), report.gate->known.end(), finding.id);
}

std::vector<ReportNote> notes_of(const AnalysisReport& report) {
  std::vector<ReportNote> notes;
  if (auto hidden = hidden_by(report.input.fidelity); !hidden.empty())
    notes.push_back({"What this log hides, and what would show it", std::move(hidden)});
  if (report.why) notes.push_back(why_note(*report.why));
  for (ReportNote& note : ignoring_notes(report.ignoring))
    notes.push_back(std::move(note));
  if (!report.ignoring.files.empty()) {
    std::string files;
    for (const std::string& file : report.ignoring.files)
      files += (files.empty() ? "" : ", ") + file;
    notes.push_back({"Ignore rules come from " + files, {}});
  }
  if (!report.gate) return notes;
  if (!report.gate->gone.empty()) {
    notes.push_back(note_of("In the baseline and not found any more: write it anew",
                            report.gate->gone,
                            [](const BaselineEntry& it) { return it.id + ": " + it.summary; }));
  }
  notes.push_back(gate_note(report));
  return notes;
}

}  // namespace ectoscope
