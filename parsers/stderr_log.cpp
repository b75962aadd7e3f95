#include "parsers/stderr_log.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "parsers/forgery_guard.h"
#include "parsers/line_prefix.h"
#include "parsers/prefix_set.h"
#include "parsers/stamps.h"

namespace ectoscope {
namespace {

constexpr size_t kSampleBytes = size_t{256} * 1024;
constexpr size_t kMaxHead = 1024;
constexpr size_t kLongEntry = size_t{64} * 1024;
constexpr uint64_t kSettledRecords = 100;  // after so many one line alone proves no prefix

/// What Amazon's DownloadDBLogFilePortion puts where it cut a line.
constexpr std::string_view kCutByRds = "[Your log message was truncated]";

/// A record's text as it stands in the log.
struct RawText {
  std::string_view text;
  bool folded = false;  // more lines follow the first, each behind a TAB
};

/// A line with the lines that continue it.
struct Entry {
  size_t begin = 0;
  size_t first_end = 0;  // of its first line, without the line break
  size_t text_end = 0;   // of all, without the last line break
  size_t end = 0;
  bool folded = false;
};

class StderrLog final : public LogParser {
 public:
  explicit StderrLog(const LogParserOptions& options)
      : stamps_(options.timezone), prefixes_(options.log_line_prefix, stamps_) {}

  size_t parse(std::string_view bytes, bool last, RecordHandler& handler) override;
  void skipped(uint64_t bytes) override;
  [[nodiscard]] const DropCounts& drops() const override { return drops_; }
  [[nodiscard]] uint64_t records() const override { return records_; }

 private:
  using Verdict = ForgeryGuard::Verdict;

  enum class Step : uint8_t { kDone, kNeedMore };

  bool part_begins(size_t at);
  bool next_entry(size_t begin, Entry& entry) const;
  Step take(const Entry& entry);
  bool take_own_part(const Entry& entry, std::string_view line);
  Step take_unmatched(const Entry& entry, std::string_view line);
  Step take_matched(const Entry& entry, const LogRecord& record, const LineHead& head);
  void take_part(const Entry& entry, const LogRecord& record, const LineHead& head);
  void drop(std::string_view reason);
  void emit();
  void emit_late(const LogRecord& head, RawText text, LinePart part);
  std::string_view unfold(const RawText& raw);
  std::string_view unfold_lines(const RawText& raw);
  void reserve_scratch(const RawText& text, const std::array<RawText, 4>& parts);
  void split_sqlstate();
  [[nodiscard]] bool was_cut_by_rds() const;

  StampReader stamps_;
  PrefixSet prefixes_;
  ForgeryGuard guard_{prefixes_.all(), stamps_};
  DropCounts drops_;
  uint64_t records_ = 0;
  uint64_t base_ = 0;            // offset of bytes_ in the whole input
  bool inside_skipped_ = false;  // what comes next is the rest of a record that was thrown away
  bool verbose_ = false;         // the server prints SQLSTATEs
  std::vector<char> scratch_;
  size_t scratch_used_ = 0;

  // Of the call of parse() that is under way.
  std::string_view bytes_;
  bool last_ = false;
  RecordHandler* handler_ = nullptr;

  // The record that waits for its DETAIL and so on.
  bool pending_ = false;
  bool dropped_ = false;  // the last record was dropped: its parts go with it
  int32_t last_pid_ = 0;
  size_t pending_begin_ = 0;
  size_t own_same_ = 0;     // bytes of its line that its parts' lines begin with; 0: not known
  size_t own_word_at_ = 0;  // where its severity stands in its line
  LogRecord record_;
  RawText message_;
  std::array<RawText, 4> parts_;  // DETAIL, HINT, CONTEXT, STATEMENT
  bool has_parts_ = false;
  bool located_ = false;  // it has a LOCATION
};

size_t part_index(LinePart part) {
  return static_cast<size_t>(part) - static_cast<size_t>(LinePart::kDetail);
}

/// "00000: " in front of a message, as log_error_verbosity = verbose puts it.
bool has_sqlstate(std::string_view message) {
  if (message.size() < 7 || message[5] != ':' || message[6] != ' ') return false;
  return std::all_of(message.begin(), message.begin() + 5,
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

size_t StderrLog::parse(std::string_view bytes, bool last, RecordHandler& handler) {
  bytes_ = bytes;
  last_ = last;
  handler_ = &handler;
  size_t at = 0;
  Entry entry;
  while (next_entry(at, entry)) {
    if (take(entry) == Step::kNeedMore) break;
    at = entry.end;
  }
  if (last) {
    if (pending_) emit();
    if (at < bytes.size()) drop(inside_skipped_ ? "too_long" : "truncated");
    at = bytes.size();
  } else if (pending_ && !part_begins(at)) {
    emit();
  } else if (pending_) {
    // Read again with what follows it.
    at = pending_begin_;
    pending_ = false;
  }
  if (const uint64_t unknown = stamps_.unknown_zones(); unknown != 0)
    drops_.insert_or_assign("unknown_zone", unknown);
  base_ += at;
  return at;
}

void StderrLog::skipped(uint64_t bytes) {
  base_ += bytes;
  if (!inside_skipped_) drop("too_long");
  inside_skipped_ = true;
}

/// What stands at `at`, behind the pending record, may be one of its parts.  Only looked into when
/// it is long already: it may outgrow the block, and must not take the record with it.
bool StderrLog::part_begins(size_t at) {
  if (bytes_.size() - at < kLongEntry) return true;
  LogRecord record;
  LineHead head;
  const std::string_view begun = bytes_.substr(at, kLongEntry);
  return prefixes_.match(begun.substr(0, begun.find('\n')), record, head) &&
         head.word.part != LinePart::kRecord;
}

bool StderrLog::next_entry(size_t begin, Entry& entry) const {
  const char* const data = bytes_.data();
  const char* const end = data + bytes_.size();
  const char* line = data + begin;
  if (line == end) return false;
  const auto* newline =
      static_cast<const char*>(std::memchr(line, '\n', static_cast<size_t>(end - line)));
  if (newline == nullptr) return false;
  entry.begin = begin;
  entry.first_end = static_cast<size_t>(newline - data);
  entry.folded = false;
  while (newline + 1 != end && newline[1] == '\t') {
    entry.folded = true;
    line = newline + 1;
    const auto* const next =
        static_cast<const char*>(std::memchr(line, '\n', static_cast<size_t>(end - line)));
    if (next == nullptr) return false;
    newline = next;
  }
  if (newline + 1 == end && !last_) return false;  // a TAB may follow
  entry.text_end = static_cast<size_t>(newline - data);
  entry.end = entry.text_end + 1;
  return true;
}

StderrLog::Step StderrLog::take(const Entry& entry) {
  if (std::exchange(inside_skipped_, false)) return Step::kDone;  // the rest of its line
  std::string_view line = bytes_.substr(entry.begin, entry.first_end - entry.begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (pending_ && take_own_part(entry, line)) return Step::kDone;
  LogRecord record;
  LineHead head;
  if (!prefixes_.match(line, record, head)) return take_unmatched(entry, line);
  return take_matched(entry, record, head);
}

/// A part of the pending record has the same stamp and pid in front, and its word where the
/// record's severity stood, or a byte further where %l gained a digit.  Two lines in five are such.
bool StderrLog::take_own_part(const Entry& entry, std::string_view line) {
  const size_t word_at = own_word_at_;
  if (own_same_ == 0 || line.size() < word_at + 8) return false;
  const char* const own = bytes_.data() + pending_begin_;
  if (std::memcmp(line.data(), own, own_same_) != 0) return false;
  for (const size_t at : {word_at, word_at + 1}) {
    const LineWord word = read_line_word(line.substr(at));
    if (word.part == LinePart::kRecord) return false;
    if (word.part == LinePart::kNone) continue;
    LineHead head;
    head.word = word;
    head.length = at + word.length;
    take_part(entry, record_, head);
    return true;
  }
  return false;
}

StderrLog::Step StderrLog::take_unmatched(const Entry& entry, std::string_view line) {
  if (guard_.doubts(base_ + entry.begin)) {
    drop("suspicious");
    return Step::kDone;
  }
  if (line.starts_with('\t')) {  // the input begins inside a record
    drop("truncated");
    return Step::kDone;
  }
  LogRecord record;
  LineHead head;
  if (find_severity(line.substr(0, kMaxHead), 0) != std::string_view::npos) {
    const std::string_view sample = bytes_.substr(entry.begin, kSampleBytes);
    if (prefixes_.search(sample, base_ + entry.begin, records_ > kSettledRecords) &&
        prefixes_.match(line, record, head))
      return take_matched(entry, record, head);
    if (prefixes_.match_any_name(line, record, head)) return take_matched(entry, record, head);
  }
  const bool broken = prefixes_.breaks_off_in_name(line);
  if (!broken) {
    drop(stamps_.read(line).length != 0 &&
                 line.substr(0, kMaxHead).find(":  ") != std::string_view::npos
             ? "unknown_language"
             : "no_prefix");
    return Step::kDone;
  }
  const Verdict verdict =
      guard_.judge_broken(bytes_.substr(entry.begin), base_ + entry.begin, last_);
  if (verdict == Verdict::kNeedMore) return Step::kNeedMore;
  drop(verdict == Verdict::kDoubt ? "suspicious" : "truncated");
  return Step::kDone;
}

StderrLog::Step StderrLog::take_matched(const Entry& entry, const LogRecord& record,
                                        const LineHead& head) {
  if (head.word.part != LinePart::kRecord) {
    take_part(entry, record, head);
    return Step::kDone;
  }
  if (prefixes_.active().name_span() != 0) {
    const size_t reach = head.name_at + prefixes_.active().name_span();
    const Verdict verdict =
        guard_.judge(record, reach, bytes_.substr(entry.begin), base_ + entry.begin, last_);
    if (verdict == Verdict::kNeedMore) return Step::kNeedMore;
    if (verdict == Verdict::kDoubt) {
      drop("suspicious");
      last_pid_ = record.pid;
      return Step::kDone;
    }
  }
  if (pending_) emit();
  pending_ = true;
  dropped_ = false;
  pending_begin_ = entry.begin;
  record_ = record;
  record_.offset = base_ + entry.begin;
  last_pid_ = record.pid;
  const bool comparable = prefixes_.active().has_pid() && prefixes_.active().has_stamp();
  own_same_ = comparable ? head.pid_end : 0;
  own_word_at_ = head.length - head.word.length;
  const size_t begin = entry.begin + head.length;
  message_ = {bytes_.substr(begin, entry.text_end - begin), entry.folded};
  if (std::exchange(has_parts_, false)) parts_ = {};
  located_ = false;
  return Step::kDone;
}

void StderrLog::take_part(const Entry& entry, const LogRecord& record, const LineHead& head) {
  if (head.word.location) located_ = verbose_ = true;
  const bool follows = (pending_ || dropped_) && record.pid == last_pid_;
  if (dropped_ && follows) return;
  if (head.word.part == LinePart::kOther) return;
  const size_t begin = entry.begin + head.length;
  const RawText text{bytes_.substr(begin, entry.text_end - begin), entry.folded};
  if (follows) {
    parts_[part_index(head.word.part)] = text;
    has_parts_ = true;
    return;
  }
  if (guard_.doubts(base_ + entry.begin)) return drop("suspicious");
  if (pending_) emit();
  emit_late(record, text, head.word.part);
}

void StderrLog::drop(std::string_view reason) {
  if (pending_) emit();
  dropped_ = true;
  last_pid_ = 0;
  const auto found = drops_.find(reason);
  if (found != drops_.end())
    ++found->second;
  else
    drops_.emplace(reason, 1);
}

void StderrLog::emit() {
  pending_ = false;
  if (message_.folded || has_parts_) reserve_scratch(message_, parts_);
  record_.message = unfold(message_);
  if (has_parts_) {
    record_.detail = unfold(parts_[0]);
    record_.hint = unfold(parts_[1]);
    record_.context = unfold(parts_[2]);
    record_.statement = unfold(parts_[3]);
  }
  if (was_cut_by_rds()) return drop("cut_by_rds");
  split_sqlstate();
  if (record_.severity != LogSeverity::kLog) record_.message = without_position(record_.message);
  ++records_;
  handler_->on_record(record_);
}

void StderrLog::emit_late(const LogRecord& head, RawText text, LinePart part) {
  reserve_scratch(text, {});
  LogRecord late = head;
  late.offset = base_ + static_cast<uint64_t>(text.text.data() - bytes_.data());
  const std::array<std::string_view*, 4> fields = {&late.detail, &late.hint, &late.context,
                                                   &late.statement};
  *fields[part_index(part)] = unfold(text);
  handler_->on_late_part(late);
}

/// Room for all texts that have to be copied, so that views into it stay valid.
void StderrLog::reserve_scratch(const RawText& text, const std::array<RawText, 4>& parts) {
  size_t needed = text.folded ? text.text.size() : 0;
  for (const RawText& part : parts)
    needed += part.folded ? part.text.size() : 0;
  if (needed > scratch_.size()) scratch_.resize(needed);
  scratch_used_ = 0;
}

/// The text without the TABs of its further lines, and without the CRs of a file that has them.
inline std::string_view StderrLog::unfold(const RawText& raw) {
  if (!raw.folded && !raw.text.ends_with('\r')) return raw.text;
  return unfold_lines(raw);
}

std::string_view StderrLog::unfold_lines(const RawText& raw) {
  std::string_view text = raw.text;
  const bool dos = text.ends_with('\r');
  if (dos) text.remove_suffix(1);
  if (!raw.folded) return text;
  char* const begin = scratch_.data() + scratch_used_;
  char* out = begin;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    const std::string_view line = text.substr(0, newline);
    std::memcpy(out, line.data(), line.size());
    out += line.size();
    if (newline == std::string_view::npos) break;
    if (dos && line.ends_with('\r')) --out;
    *out++ = '\n';
    text.remove_prefix(newline + 2);
  }
  scratch_used_ += static_cast<size_t>(out - begin);
  return {begin, static_cast<size_t>(out - begin)};
}

/// Half a statement is another statement, and half a list of parameters other parameters.
bool StderrLog::was_cut_by_rds() const {
  const auto cut = [](std::string_view text) {
    return text.ends_with(']') && text.ends_with(kCutByRds);
  };
  return cut(record_.message) || (has_parts_ && (cut(record_.detail) || cut(record_.statement)));
}

void StderrLog::split_sqlstate() {
  std::string_view& message = record_.message;
  if (!record_.sqlstate.empty() || !has_sqlstate(message)) return;
  if (message.starts_with("00000"))
    verbose_ = true;
  else if (!verbose_ && !located_)
    return;
  record_.sqlstate = message.substr(0, 5);
  message.remove_prefix(7);
}

}  // namespace

std::unique_ptr<LogParser> make_stderr_parser(const LogParserOptions& options) {
  return std::make_unique<StderrLog>(options);
}

}  // namespace ectoscope
