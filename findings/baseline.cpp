#include "findings/baseline.h"

#include <algorithm>

namespace ectoscope {
namespace {

constexpr size_t kMaxBytes = size_t{16} << 20U;
constexpr size_t kMaxProblems = 20;
constexpr size_t kDigits = 16;

constexpr std::string_view kHead =
    "# ectoscope's baseline: what was found when it was written, and is let pass until it is "
    "mended.\n"
    "# Written by `ectoscope analyze --write-baseline=FILE`, read with `--baseline=FILE`.  Take a "
    "line\n# out to have its finding fail again.\n";

bool is_id(std::string_view text) {
  const size_t dash = text.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || text.size() - dash - 1 != kDigits)
    return false;
  const auto kind = text.substr(0, dash);
  const auto digits = text.substr(dash + 1);
  return std::all_of(
             kind.begin(), kind.end(),
             [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }) &&
         std::all_of(digits.begin(), digits.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

/// On one line, without what a terminal obeys.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

}  // namespace

Result<Baseline> parse_baseline(std::string_view text, const std::string& name) {
  if (text.size() > kMaxBytes) return Error{name + ": larger than 16 MiB; is this the baseline?"};
  Baseline baseline;
  std::string problems;
  size_t count = 0;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t mark = std::min(line.find('#'), line.size());
    const std::string_view id = trimmed(line.substr(0, mark));
    if (id.empty()) continue;
    if (is_id(id)) {
      baseline.entries.emplace(id, trimmed(line.substr(std::min(mark + 1, line.size()))));
      continue;
    }
    if (++count > kMaxProblems) continue;
    const auto column = static_cast<size_t>(id.data() - line.data()) + 1;
    problems += name + ":" + std::to_string(number) + ":" + std::to_string(column) +
                ": a finding's id is wanted here, like n_plus_one_read-5f0c2a9e7d3b1c44; write the "
                "file with --write-baseline\n";
  }
  if (count == 0) return baseline;
  return Error{problems + (count == 1 ? "1 problem" : std::to_string(count) + " problems") +
               "; nothing was analyzed."};
}

std::string render_baseline(const AnalysisReport& report) {
  std::map<std::string, std::string> lines;
  for (const Finding& finding : report.findings)
    lines.emplace(finding.id, one_line(steady_summary(finding)));
  std::string text(kHead);
  for (const auto& [id, summary] : lines)
    text.append(id).append("  # ").append(summary).append("\n");
  return text;
}

std::string steady_summary(const Finding& finding) {
  std::string text = finding.query.summary.empty() ? finding.kind : finding.query.summary;
  if (finding.parent_query) text += ", after " + finding.parent_query->summary;
  if (!finding.database.empty()) text += " (database " + finding.database + ")";
  return text;
}

}  // namespace ectoscope
