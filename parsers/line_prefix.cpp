#include "parsers/line_prefix.h"

#include <algorithm>
#include <cstring>

#include "parsers/byte_scan.h"

namespace ectoscope {
namespace {

constexpr size_t kMaxTextLength = 512;  // far over what PostgreSQL prints for a field
constexpr size_t kLongestName = 63;
constexpr size_t kLongestOther = 128;  // what may stand between two names
constexpr int kMaxSteps = 256;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

template <typename Belongs>
const char* end_of(const char* at, const char* end, Belongs belongs) {
  while (at != end && belongs(*at))
    ++at;
  return at;
}

bool follows(const char* at, const char* end, std::string_view literal) {
  return std::string_view(at, static_cast<size_t>(end - at)).starts_with(literal);
}

std::string_view trimmed(std::string_view text) {
  while (text.ends_with(' '))
    text.remove_suffix(1);
  while (text.starts_with(' '))
    text.remove_prefix(1);
  return text;
}

/// An address, a host name, [local] or [unknown]; with the port in brackets.
bool is_host(std::string_view value) {
  if (value.starts_with('[')) return value == "[local]" || value == "[unknown]";
  return std::all_of(value.begin(), value.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view(".:-_%()").find(c) != std::string_view::npos;
  });
}

/// Skips the blanks of a padded field, but for those that the prefix has behind it.
const char* skip_padding(const char* at, const char* end, std::string_view after) {
  const char* const stop = end_of(at, end, [](char c) { return c == ' '; });
  const size_t own = std::min(after.find_first_not_of(' '), after.size());
  return stop - at > static_cast<std::ptrdiff_t>(own) ? stop - own : at;
}

const char* read_field(const PrefixOp& op, const char* at, PrefixMatching& matching) {
  const char* const begin = at;
  const char* const end = matching.end;
  switch (op.field) {
    case PrefixField::kFineStamp:
    case PrefixField::kStamp:
    case PrefixField::kEpoch:
    case PrefixField::kSessionStart:
      return read_stamp(op.field, at, matching);
    case PrefixField::kPid:
      return read_pid(at, matching);
    case PrefixField::kQueryId:
      return read_query_id(at, matching);
    case PrefixField::kNumber:
      return end_of(at, end, is_digit);
    case PrefixField::kSession:
      at = end_of(at, end, [](char c) { return is_hex(c) || c == '.'; });
      matching.record.session = {begin, static_cast<size_t>(at - begin)};
      return at;
    case PrefixField::kVirtualXid:
      at = end_of(at, end, [](char c) { return is_digit(c) || c == '/'; });
      matching.record.virtual_xid = {begin, static_cast<size_t>(at - begin)};
      return at;
    case PrefixField::kSqlState:
      at = end_of(at, end, [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); });
      matching.record.sqlstate = {begin, static_cast<size_t>(at - begin)};
      return at == begin || at - begin == 5 ? at : nullptr;
    default:
      return at;
  }
}

}  // namespace

/// The search for a way to read one line: names may end at several places.
struct LinePrefix::Search {
  PrefixMatching matching;
  bool any_name = false;
  bool reached_name = false;
  const char* must_finish_at = nullptr;  // where the word has to stand; null: anywhere
  int steps = 0;

  bool finish(const char* at, bool short_form) {
    if (must_finish_at != nullptr && at != must_finish_at) return false;
    return finish_head(at, short_form, matching);
  }
};

LinePrefix::LinePrefix(std::string_view log_line_prefix)
    : text_(log_line_prefix), prefix_(read_log_line_prefix(log_line_prefix)), quick_(prefix_) {
  measure_names();
  has_pid_ = has(PrefixField::kPid);
  has_stamp_ = has(PrefixField::kStamp) || has(PrefixField::kFineStamp) || has(PrefixField::kEpoch);
}

bool LinePrefix::has(PrefixField field) const {
  return std::any_of(prefix_.ops.begin(), prefix_.ops.end(),
                     [&](const PrefixOp& op) { return op.field == field; });
}

void LinePrefix::measure_names() {
  size_t span = 0;
  for (const PrefixOp& op : prefix_.ops) {
    if (span == 0 && !is_name(op.field)) continue;
    span += is_name(op.field) ? kLongestName : kLongestOther;
    if (is_name(op.field)) name_span_ = span;
    span += op.after.size();
  }
}

bool LinePrefix::match(std::string_view line, StampReader& stamps, LogRecord& record,
                       LineHead& head) const {
  PrefixMatching matching{line.data(), line.data() + line.size(), stamps, record, head};
  if (quick_.match(matching)) return true;
  head = {};
  Search search{matching};
  return match_from(0, line.data(), search);
}

bool LinePrefix::match_any_name(std::string_view line, StampReader& stamps, LogRecord& record,
                                LineHead& head) const {
  Search search{{line.data(), line.data() + line.size(), stamps, record, head}, true};
  return match_from(0, line.data(), search);
}

bool LinePrefix::breaks_off_in_name(std::string_view line, StampReader& stamps) const {
  LogRecord record;
  LineHead head;
  Search search{{line.data(), line.data() + line.size(), stamps, record, head}, true};
  return !match_from(0, line.data(), search) && search.reached_name;
}

bool LinePrefix::has_tail(std::string_view line, size_t from, size_t until,
                          StampReader& stamps) const {
  const char* const end = line.data() + line.size();
  for (size_t severity = find_severity(line, from); severity != std::string_view::npos;
       severity = find_severity(line, severity + 1)) {
    const size_t window = severity < kMaxTextLength ? 0 : severity - kMaxTextLength;
    for (size_t at = std::max(from, window); at <= severity && at < until; ++at) {
      for (size_t index = 0; index < prefix_.ops.size(); ++index) {
        const PrefixOp& op = prefix_.ops[index];
        if (!is_name(op.field) || !follows(line.data() + at, end, op.after)) continue;
        LogRecord record;
        LineHead head;
        Search search{{line.data(), end, stamps, record, head}, true};
        search.must_finish_at = line.data() + severity;
        if (match_from(index + 1, line.data() + at + op.after.size(), search)) return true;
      }
    }
  }
  return false;
}

bool LinePrefix::match_from(size_t index, const char* at, Search& search) const {
  const char* const end = search.matching.end;
  for (; index < prefix_.ops.size(); ++index) {
    if (index == prefix_.session_ops && search.finish(at, true)) return true;
    const PrefixOp& op = prefix_.ops[index];
    if (is_text(op.field)) return match_text(index, at, search);
    if (op.padded) at = end_of(at, end, [](char c) { return c == ' '; });
    at = read_field(op, at, search.matching);
    if (at == nullptr) return false;
    if (op.padded) at = skip_padding(at, end, op.after);
    if (!follows(at, end, op.after)) return false;
    at += op.after.size();
  }
  return search.finish(at, false);
}

bool LinePrefix::match_text(size_t index, const char* at, Search& search) const {
  const PrefixOp& op = prefix_.ops[index];
  const char* const end = search.matching.end;
  if (is_name(op.field) && !search.reached_name) {
    search.reached_name = true;
    search.matching.head.name_at = static_cast<size_t>(at - search.matching.begin);
  }
  const bool blank_ends = is_name(op.field) && !search.any_name && !op.padded;
  const char* const limit = at + std::min(static_cast<size_t>(end - at), kMaxTextLength);
  for (const char* stop = at;; ++stop) {
    if (!op.after.empty()) stop = find_near(stop, limit, op.after[0]);
    if (stop == limit || ++search.steps > kMaxSteps) return false;
    std::string_view value(at, static_cast<size_t>(stop - at));
    if (blank_ends && value.find(' ') != std::string_view::npos) return false;
    if (!follows(stop, end, op.after)) continue;
    if (op.padded) value = trimmed(value);
    if (op.field == PrefixField::kHost && !is_host(value)) return false;
    set_text(op.field, value, search.matching.record);
    if (match_from(index + 1, stop + op.after.size(), search)) return true;
  }
}

}  // namespace ectoscope
