#include "parsers/prefix_finder.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

#include "parsers/line_prefix.h"
#include "parsers/line_words.h"
#include "parsers/prefix_reading.h"

namespace ectoscope {
namespace {

constexpr size_t kMaxLines = 400;
constexpr size_t kMaxCandidates = 12;
constexpr size_t kMaxPrefixes = 4;
constexpr size_t kMaxHead = 600;  // bytes of a line in which its severity is looked for

using Lines = std::vector<std::string_view>;

/// Lines with a severity, whole ones only, without their line breaks.
Lines lines_of(std::string_view sample) {
  Lines lines;
  while (lines.size() < kMaxLines) {
    const size_t end = sample.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view line = sample.substr(0, std::min(end, kMaxHead));
    if (!line.starts_with('\t') && find_severity(line, 0) != std::string_view::npos)
      lines.push_back(line);
    sample.remove_prefix(end + 1);
  }
  return lines;
}

bool explains(const LinePrefix& prefix, std::string_view line, StampReader& stamps) {
  LogRecord record;
  LineHead head;
  return prefix.match(line, stamps, record, head);
}

/// Lines explained, the whole ones twice: a %q must not hide what a prefix fails to say.
struct Score {
  size_t lines = 0;
  size_t whole = 0;

  [[nodiscard]] size_t points() const { return lines + whole; }
};

Score score_of(const std::string& text, const Lines& lines, StampReader& stamps) {
  const LinePrefix prefix(text);
  Score score;
  for (const std::string_view line : lines) {
    LogRecord record;
    LineHead head;
    if (!prefix.match(line, stamps, record, head)) continue;
    ++score.lines;
    if (!head.short_form) ++score.whole;
  }
  return score;
}

/// The candidates that most lines gave, most first; equals by text, so that the order is fixed.
std::vector<ReadPrefix> candidates(const Lines& lines, StampReader& stamps) {
  std::map<std::string, std::pair<size_t, ReadPrefix>> seen;
  for (const std::string_view line : lines) {
    std::optional<ReadPrefix> read = read_prefix(line.substr(0, find_severity(line, 0)), stamps);
    if (!read) continue;
    auto& [count, prefix] = seen[read->text];
    ++count;
    prefix = std::move(*read);
  }
  std::vector<std::pair<size_t, ReadPrefix>> ranked;
  ranked.reserve(seen.size());
  for (auto& [text, counted] : seen)
    ranked.push_back(std::move(counted));
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  // A rare line may be the only one that shows all fields.
  std::stable_sort(
      ranked.begin() + static_cast<std::ptrdiff_t>(std::min(ranked.size(), kMaxCandidates / 2)),
      ranked.end(), [](const auto& a, const auto& b) { return a.second.fields > b.second.fields; });
  std::vector<ReadPrefix> best;
  for (auto& counted : ranked)
    if (best.size() < kMaxCandidates) best.push_back(std::move(counted.second));
  return best;
}

struct Scored {
  FoundPrefix found;
  Score score;
  size_t fields = 0;

  [[nodiscard]] bool better_than(const Scored& other) const {
    if (score.points() != other.score.points()) return score.points() > other.score.points();
    return fields > other.fields;
  }
};

/// Puts a %q where it explains most of the lines that are left over; leaves the prefix alone when
/// it explains none.
void place_session_mark(Scored& scored, const Lines& lines, StampReader& stamps) {
  const std::string plain = scored.found.text;
  Lines left_over;
  const LinePrefix prefix(plain);
  std::copy_if(lines.begin(), lines.end(), std::back_inserter(left_over),
               [&](std::string_view line) { return !explains(prefix, line, stamps); });
  size_t most = 0;
  bool in_escape = false;
  for (size_t at = 1; at < plain.size(); ++at) {
    in_escape = !in_escape && plain[at - 1] == '%';
    // Text before a %q would take in all that is printed.
    const bool after_text = at >= 2 && plain[at - 2] == '%' &&
                            std::string_view("udarhib").find(plain[at - 1]) != std::string::npos;
    if (in_escape || after_text) continue;
    const std::string marked = plain.substr(0, at) + "%q" + plain.substr(at);
    const size_t explained = score_of(marked, left_over, stamps).lines;
    if (explained <= most) continue;
    most = explained;
    scored.found.text = marked;
  }
  if (most > 0) scored.score = score_of(scored.found.text, lines, stamps);
}

std::optional<FoundPrefix> best_prefix(const Lines& lines, StampReader& stamps) {
  std::optional<Scored> best;
  for (const ReadPrefix& candidate : candidates(lines, stamps)) {
    Scored scored{{candidate.text, 0, candidate.keyed},
                  score_of(candidate.text, lines, stamps),
                  candidate.fields};
    if (scored.score.lines < lines.size()) place_session_mark(scored, lines, stamps);
    scored.found.lines = scored.score.lines;
    if (scored.found.lines > 0 && (!best || scored.better_than(*best))) best = std::move(scored);
  }
  if (!best) return std::nullopt;
  return std::move(best->found);
}

}  // namespace

std::vector<FoundPrefix> find_prefixes(std::string_view sample, StampReader& stamps) {
  std::vector<FoundPrefix> found;
  Lines lines = lines_of(sample);
  while (!lines.empty() && found.size() < kMaxPrefixes) {
    std::optional<FoundPrefix> best = best_prefix(lines, stamps);
    if (!best) break;
    const LinePrefix prefix(best->text);
    std::erase_if(lines, [&](std::string_view line) { return explains(prefix, line, stamps); });
    found.push_back(std::move(*best));
  }
  return found;
}

}  // namespace ectoscope
