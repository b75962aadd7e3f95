#include "parsers/line_prefix.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "parsers/byte_scan.h"

namespace ectoscope {
namespace {

constexpr size_t kMaxNameLength = 512;  // far over what PostgreSQL prints for a field
constexpr size_t kLongestName = 63;
constexpr size_t kLongestOther = 128;  // what may stand between two names
constexpr int kMaxSteps = 256;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

const char* skip_blanks(const char* at, const char* end) {
  while (at != end && *at == ' ')
    ++at;
  return at;
}

const char* read_number(const char* at, const char* end, uint64_t& value) {
  value = 0;
  for (; at != end && is_digit(*at); ++at)
    value = value * 10 + static_cast<uint64_t>(*at - '0');
  return at;
}

bool follows(const char* at, const char* end, const std::string& literal) {
  const size_t length = literal.size();
  if (static_cast<size_t>(end - at) < length) return false;
  for (size_t i = 0; i < length; ++i)
    if (at[i] != literal[i]) return false;
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (text.ends_with(' '))
    text.remove_suffix(1);
  while (text.starts_with(' '))
    text.remove_prefix(1);
  return text;
}

/// "10.0.0.1(4321)" and "10.0.0.1" to the address alone.
std::string_view without_port(std::string_view host) {
  if (!host.ends_with(')')) return host;
  return host.substr(0, host.rfind('('));
}

}  // namespace

struct LinePrefix::Matching {
  const char* end;
  StampReader& stamps;
  LogRecord& record;
  LineHead& head;
  const char* begin;
  bool any_name = false;
  bool reached_name = false;
  const char* must_finish_at = nullptr;  // where the word has to stand; null: anywhere
  int steps = 0;
};

LinePrefix::Field LinePrefix::field_of(char escape) {
  switch (escape) {
    case 'm':
      return Field::kFineStamp;
    case 't':
      return Field::kStamp;
    case 'n':
      return Field::kEpoch;
    case 's':
      return Field::kSessionStart;
    case 'p':
      return Field::kPid;
    case 'P':
    case 'l':
    case 'x':
      return Field::kNumber;
    case 'u':
      return Field::kUser;
    case 'd':
      return Field::kDatabase;
    case 'a':
      return Field::kApplication;
    case 'r':
    case 'h':
      return Field::kHost;
    case 'c':
      return Field::kSession;
    case 'v':
      return Field::kVirtualXid;
    case 'Q':
      return Field::kQueryId;
    case 'e':
      return Field::kSqlState;
    case 'b':
    case 'i':
    case 'L':
      return Field::kText;
    default:
      return Field::kNothing;
  }
}

bool LinePrefix::is_text(Field field) {
  return is_name(field) || field == Field::kApplication || field == Field::kHost ||
         field == Field::kText;
}

bool LinePrefix::is_name(Field field) {
  return field == Field::kUser || field == Field::kDatabase;
}

void LinePrefix::add(Field field, bool padded) {
  ops_.push_back({field, padded, {}});
  has_names_ = has_names_ || is_name(field);
  has_pid_ = has_pid_ || field == Field::kPid;
  has_stamp_ =
      has_stamp_ || field == Field::kStamp || field == Field::kFineStamp || field == Field::kEpoch;
}

LinePrefix::LinePrefix(std::string_view log_line_prefix) : text_(log_line_prefix) {
  ops_.push_back({});
  for (size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] != '%') {
      ops_.back().after += text_[i];
      continue;
    }
    size_t escape = i + 1;
    while (escape < text_.size() && (text_[escape] == '-' || is_digit(text_[escape])))
      ++escape;
    if (escape == text_.size()) break;
    const bool padded = escape > i + 1;
    i = escape;
    if (text_[i] == '%') {
      ops_.back().after += '%';
    } else if (text_[i] == 'q') {
      session_ops_ = ops_.size();
      ops_.push_back({});
    } else if (const Field field = field_of(text_[i]); field != Field::kNothing) {
      add(field, padded);
    }
  }
  measure_names();
}

bool LinePrefix::match(std::string_view line, StampReader& stamps, LogRecord& record,
                       LineHead& head) const {
  Matching matching{line.data() + line.size(), stamps, record, head, line.data()};
  return match_from(0, line.data(), matching);
}

bool LinePrefix::match_any_name(std::string_view line, StampReader& stamps, LogRecord& record,
                                LineHead& head) const {
  Matching matching{line.data() + line.size(), stamps, record, head, line.data(), true};
  return match_from(0, line.data(), matching);
}

bool LinePrefix::breaks_off_in_name(std::string_view line, StampReader& stamps) const {
  LogRecord record;
  LineHead head;
  Matching matching{line.data() + line.size(), stamps, record, head, line.data(), true};
  return !match_from(0, line.data(), matching) && matching.reached_name;
}

bool LinePrefix::has_tail(std::string_view line, size_t from, size_t until,
                          StampReader& stamps) const {
  const char* const end = line.data() + line.size();
  for (size_t severity = find_severity(line, from); severity != std::string_view::npos;
       severity = find_severity(line, severity + 1)) {
    const size_t window = severity < kMaxNameLength ? 0 : severity - kMaxNameLength;
    for (size_t at = std::max(from, window); at <= severity && at < until; ++at) {
      for (size_t index = 0; index < ops_.size(); ++index) {
        const Op& op = ops_[index];
        if (!is_name(op.field) || !follows(line.data() + at, end, op.after)) continue;
        LogRecord record;
        LineHead head;
        Matching matching{end, stamps, record, head, line.data(), true};
        matching.must_finish_at = line.data() + severity;
        if (match_from(index + 1, line.data() + at + op.after.size(), matching)) return true;
      }
    }
  }
  return false;
}

void LinePrefix::measure_names() {
  size_t span = 0;
  bool begun = false;
  for (const Op& op : ops_) {
    begun = begun || is_name(op.field);
    if (!begun) continue;
    span += is_name(op.field) ? kLongestName : kLongestOther;
    if (is_name(op.field)) name_span_ = span;
    span += op.after.size();
  }
}

bool LinePrefix::finish(const char* at, bool short_form, Matching& matching) const {
  if (matching.must_finish_at != nullptr && at != matching.must_finish_at) return false;
  const LineWord word = read_line_word({at, static_cast<size_t>(matching.end - at)});
  if (word.part == LinePart::kNone) return false;
  matching.head.word = word;
  matching.record.severity = word.severity;
  matching.head.length = static_cast<size_t>(at - matching.begin) + word.length;
  matching.head.short_form = short_form;
  return true;
}

bool LinePrefix::match_from(size_t index, const char* at, Matching& matching) const {
  for (; index < ops_.size(); ++index) {
    if (index == session_ops_ && finish(at, true, matching)) return true;
    const Op& op = ops_[index];
    if (is_text(op.field)) return match_text(index, at, matching);
    if (op.padded) at = skip_blanks(at, matching.end);
    at = read_field(op, at, matching);
    if (at == nullptr) return false;
    if (op.padded && !op.after.starts_with(' ')) at = skip_blanks(at, matching.end);
    if (op.padded && op.after.starts_with(' '))
      while (matching.end - at > 1 && at[0] == ' ' && at[1] == ' ')
        ++at;
    if (!follows(at, matching.end, op.after)) return false;
    at += op.after.size();
  }
  return finish(at, false, matching);
}

bool LinePrefix::match_text(size_t index, const char* at, Matching& matching) const {
  const Op& op = ops_[index];
  if (is_name(op.field) && !std::exchange(matching.reached_name, true))
    matching.head.name_at = static_cast<size_t>(at - matching.begin);
  const bool blank_ends = is_name(op.field) && !matching.any_name && !op.padded;
  const char* const limit = at + std::min(static_cast<size_t>(matching.end - at), kMaxNameLength);
  const char* stop = at;
  for (;;) {
    if (!op.after.empty()) stop = find_near(stop, limit, op.after[0]);
    if (stop == limit) return false;
    if (blank_ends && std::memchr(at, ' ', static_cast<size_t>(stop - at)) != nullptr) return false;
    if (++matching.steps > kMaxSteps) return false;
    if (follows(stop, matching.end, op.after)) {
      std::string_view value(at, static_cast<size_t>(stop - at));
      if (op.padded) value = trimmed(value);
      if (value == "[unknown]") value = {};
      switch (op.field) {
        case Field::kUser:
          matching.record.user = value;
          break;
        case Field::kDatabase:
          matching.record.database = value;
          break;
        case Field::kApplication:
          matching.record.application = value;
          break;
        case Field::kHost:
          matching.record.client_host = without_port(value);
          break;
        default:
          break;
      }
      if (match_from(index + 1, stop + op.after.size(), matching)) return true;
    }
    ++stop;
  }
}

const char* LinePrefix::read_field(const Op& op, const char* at, Matching& matching) const {
  const char* const end = matching.end;
  LogRecord& record = matching.record;
  const char* const begin = at;
  uint64_t number = 0;
  switch (op.field) {
    case Field::kFineStamp:
    case Field::kStamp:
    case Field::kEpoch: {
      const std::string_view text(at, static_cast<size_t>(end - at));
      const Stamp stamp =
          op.field == Field::kEpoch ? StampReader::read_epoch(text) : matching.stamps.read(text);
      if (stamp.length == 0 || stamp.coarse != (op.field == Field::kStamp)) return nullptr;
      record.at = stamp.at;
      record.coarse_time = stamp.coarse;
      return at + stamp.length;
    }
    case Field::kSessionStart:
      return at + matching.stamps.read({at, static_cast<size_t>(end - at)}).length;
    case Field::kPid:
      at = read_number(at, end, number);
      if (at == begin || at - begin > 10 || number > INT32_MAX) return nullptr;
      record.pid = static_cast<int32_t>(number);
      return at;
    case Field::kNumber:
      return read_number(at, end, number);
    case Field::kSession:
      while (at != end && (is_hex(*at) || *at == '.'))
        ++at;
      record.session = {begin, static_cast<size_t>(at - begin)};
      return at;
    case Field::kVirtualXid:
      while (at != end && (is_digit(*at) || *at == '/'))
        ++at;
      record.virtual_xid = {begin, static_cast<size_t>(at - begin)};
      return at;
    case Field::kQueryId: {
      const bool negative = at != end && *at == '-';
      at = read_number(at + (negative ? 1 : 0), end, number);
      record.has_query_id = number != 0;
      record.query_id = static_cast<int64_t>(negative ? 0 - number : number);
      return at;
    }
    case Field::kSqlState:
      while (at != end && at - begin < 5 && (is_digit(*at) || (*at >= 'A' && *at <= 'Z')))
        ++at;
      record.sqlstate = {begin, static_cast<size_t>(at - begin)};
      return at - begin == 5 || at == begin ? at : nullptr;
    default:
      return at;
  }
}

}  // namespace ectoscope
