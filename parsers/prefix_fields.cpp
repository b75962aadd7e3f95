#include "parsers/prefix_fields.h"

#include "parsers/byte_scan.h"

namespace ectoscope {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

struct Escape {
  char letter;
  PrefixField field;
};

constexpr Escape kEscapes[] = {
    {'m', PrefixField::kFineStamp},   {'t', PrefixField::kStamp},
    {'n', PrefixField::kEpoch},       {'s', PrefixField::kSessionStart},
    {'p', PrefixField::kPid},         {'P', PrefixField::kNumber},
    {'l', PrefixField::kNumber},      {'x', PrefixField::kNumber},
    {'u', PrefixField::kUser},        {'d', PrefixField::kDatabase},
    {'a', PrefixField::kApplication}, {'r', PrefixField::kHost},
    {'h', PrefixField::kHost},        {'c', PrefixField::kSession},
    {'v', PrefixField::kVirtualXid},  {'Q', PrefixField::kQueryId},
    {'e', PrefixField::kSqlState},    {'b', PrefixField::kText},
    {'i', PrefixField::kText},        {'L', PrefixField::kText},
};

PrefixField field_of(char letter) {
  for (const Escape& escape : kEscapes)
    if (escape.letter == letter) return escape.field;
  return PrefixField::kNothing;
}

}  // namespace

PrefixOps read_log_line_prefix(std::string_view log_line_prefix) {
  const std::string_view text = log_line_prefix;
  PrefixOps read;
  read.ops.push_back({});
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      read.ops.back().after += text[at];
      continue;
    }
    const size_t escape = at + 1;
    while (at + 1 < text.size() && (text[at + 1] == '-' || is_digit(text[at + 1])))
      ++at;
    if (++at == text.size()) break;
    if (text[at] == '%') {
      read.ops.back().after += '%';
    } else if (text[at] == 'q') {
      read.session_ops = read.ops.size();
      read.ops.push_back({});
    } else if (const PrefixField field = field_of(text[at]); field != PrefixField::kNothing) {
      read.ops.push_back({field, at > escape, {}});
    }
  }
  return read;
}

const char* read_stamp(PrefixField field, const char* at, PrefixMatching& matching) {
  const std::string_view text(at, static_cast<size_t>(matching.end - at));
  const Stamp stamp =
      field == PrefixField::kEpoch ? StampReader::read_epoch(text) : matching.stamps.read(text);
  const char* const after = at + stamp.length;
  if (field == PrefixField::kSessionStart) return after;
  if (stamp.length == 0 || stamp.coarse != (field == PrefixField::kStamp)) return nullptr;
  matching.record.at = stamp.at;
  matching.record.coarse_time = stamp.coarse;
  matching.head.pid_end = static_cast<size_t>(after - matching.begin);
  return after;
}

const char* read_query_id(const char* at, PrefixMatching& matching) {
  uint64_t number = 0;
  const bool negative = at != matching.end && *at == '-';
  at = read_digits(at + (negative ? 1 : 0), matching.end, number);
  matching.record.has_query_id = number != 0;
  matching.record.query_id = static_cast<int64_t>(negative ? 0 - number : number);
  return at;
}

void set_text(PrefixField field, std::string_view value, LogRecord& record) {
  if (value == "[unknown]") value = {};
  switch (field) {
    case PrefixField::kUser:
      record.user = value;
      break;
    case PrefixField::kDatabase:
      record.database = value;
      break;
    case PrefixField::kApplication:
      record.application = value;
      break;
    case PrefixField::kHost:
      record.client_host = without_port(value);
      break;
    default:
      break;
  }
}

std::string_view without_port(std::string_view host) {
  if (!host.ends_with(')')) return host;
  return host.substr(0, host.rfind('('));
}

bool finish_head(const char* at, bool short_form, PrefixMatching& matching) {
  const LineWord word = read_line_word({at, static_cast<size_t>(matching.end - at)});
  if (word.part == LinePart::kNone) return false;
  matching.record.severity = word.severity;
  matching.head.word = word;
  matching.head.length = static_cast<size_t>(at - matching.begin) + word.length;
  matching.head.short_form = short_form;
  return true;
}

}  // namespace ectoscope
