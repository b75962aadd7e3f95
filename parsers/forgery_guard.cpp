#include "parsers/forgery_guard.h"

#include <algorithm>
#include <cstring>

#include "core/hash.h"

namespace ectoscope {
namespace {

constexpr size_t kSlots = 4096;
constexpr size_t kLongestTail = 1024;
// PostgreSQL takes start-up packets of up to 10,000 bytes, names and all.
constexpr size_t kLongestBreak = 10'000;

uint64_t quick_hash(std::string_view text) {
  uint64_t first = 0;
  uint64_t last = 0;
  const size_t size = text.size();
  const char* const data = text.data();
  if (size >= 8) {
    std::memcpy(&first, data, 8);
    std::memcpy(&last, data + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(&first, data, 4);
    std::memcpy(&last, data + size - 4, 4);
  } else if (size > 0) {
    first = static_cast<unsigned char>(data[0]);
    last = static_cast<uint64_t>(static_cast<unsigned char>(data[size / 2])) << 8U |
           static_cast<unsigned char>(data[size - 1]);
  }
  return (first ^ last * 0x9E3779B97F4A7C15ULL ^ size) * 0xBF58476D1CE4E5B9ULL;
}

uint64_t names_of(const LogRecord& record) {
  return quick_hash(record.user) * 31 + quick_hash(record.database) + 1;
}

}  // namespace

ForgeryGuard::ForgeryGuard(const std::vector<LinePrefix>& prefixes, StampReader& stamps)
    : prefixes_(prefixes), stamps_(stamps), sessions_(kSlots) {}

ForgeryGuard::Session& ForgeryGuard::slot(int32_t pid) {
  return sessions_[static_cast<uint32_t>(pid) % kSlots];
}

ForgeryGuard::Verdict ForgeryGuard::judge(const LogRecord& record, size_t reach,
                                          std::string_view rest, uint64_t offset, bool last) {
  const uint64_t names = names_of(record);
  Session& session = slot(record.pid);
  const bool known = session.pid == record.pid && session.names == names;
  // FATAL ends a session: its pid may come again as someone else.
  const bool ends = record.severity == LogSeverity::kFatal;
  if (known) {
    if (ends) session = {};
    return Verdict::kBelieve;
  }
  if (doubts(offset)) return Verdict::kDoubt;
  const Verdict verdict = look_ahead({rest, offset, last}, 0, reach, false);
  if (verdict == Verdict::kBelieve && !ends) session = {names, record.pid};
  return verdict;
}

ForgeryGuard::Verdict ForgeryGuard::judge_broken(std::string_view rest, uint64_t offset,
                                                 bool last) {
  if (doubts(offset)) return Verdict::kDoubt;
  // Its own line has no tail, or it would not be broken.
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos) return last ? Verdict::kBelieve : Verdict::kNeedMore;
  // A log full of broken lines is looked through once, not once for each of them.
  const size_t clean = clean_until_ > offset ? static_cast<size_t>(clean_until_ - offset) : 0;
  const Verdict verdict =
      look_ahead({rest, offset, last}, std::max(end + 1, clean), kLongestBreak, true);
  if (verdict == Verdict::kBelieve) {
    const size_t line =
        rest.substr(0, kLongestBreak).rfind('\n') + 1;  // 0 in a line that is longer
    clean_until_ = std::max(clean_until_, offset + line);
  }
  return verdict;
}

ForgeryGuard::Verdict ForgeryGuard::look_ahead(const Place& place, size_t from, size_t reach,
                                               bool broken) {
  const std::string_view rest = place.rest;
  if (rest.size() < reach + kLongestTail && !place.last) return Verdict::kNeedMore;
  for (size_t at = from; at < reach && at < rest.size();) {
    const size_t end = std::min(rest.find('\n', at), rest.size());
    const std::string_view line = rest.substr(at, std::min(end - at, reach - at + kLongestTail));
    if (!line.starts_with('\t') && holds_tail(line, reach - at, broken)) {
      doubtful_until_ = place.offset + end + 1;
      return Verdict::kDoubt;
    }
    at = end + 1;
  }
  return Verdict::kBelieve;
}

/// Before `until` something stands in the line that can only be the end of another line's prefix.
bool ForgeryGuard::holds_tail(std::string_view line, size_t until, bool broken) {
  size_t from = 0;
  for (const LinePrefix& prefix : prefixes_) {
    LogRecord record;
    LineHead head;
    if (!prefix.match(line, stamps_, record, head)) continue;
    from = head.length;
    break;
  }
  for (size_t i = 0; from == 0 && i < prefixes_.size(); ++i) {
    LogRecord record;
    LineHead head;
    if (!prefixes_[i].match_any_name(line, stamps_, record, head)) continue;
    // A name with blanks is rare but allowed, unless a severity is in it.
    if (broken || find_severity(line, 0) + head.word.length < head.length) return true;
    from = head.length;
  }
  return std::any_of(prefixes_.begin(), prefixes_.end(), [&](const LinePrefix& prefix) {
    return prefix.has_tail(line, from, until, stamps_);
  });
}

}  // namespace ectoscope
