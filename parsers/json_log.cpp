#include "parsers/json_log.h"

#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "parsers/byte_scan.h"
#include "parsers/line_words.h"
#include "parsers/stamps.h"

namespace ectoscope {
namespace {

/// The fields that we use; kOther for the rest.
enum Key : size_t {
  kTime,
  kUser,
  kDatabase,
  kPid,
  kHost,
  kSession,
  kVirtualXid,
  kSeverity,
  kSqlState,
  kMessage,
  kDetail,
  kHint,
  kContext,
  kStatement,
  kApplication,
  kQueryId,
  kOther,
  kKeys
};

struct Value {
  std::string_view text;  // between the quotes, or the number itself
  bool quoted = false;
  bool escaped = false;
};

Key key_of(std::string_view name) {
  switch (name.size()) {
    case 3:
      return name == "pid" ? kPid : kOther;
    case 4:
      return name == "user"   ? kUser
             : name == "hint" ? kHint
             : name == "vxid" ? kVirtualXid
                              : kOther;
    case 6:
      return name == "dbname" ? kDatabase : name == "detail" ? kDetail : kOther;
    case 7:
      return name == "message" ? kMessage : name == "context" ? kContext : kOther;
    case 8:
      return name == "query_id" ? kQueryId : kOther;
    case 9:
      return name == "timestamp" ? kTime : name == "statement" ? kStatement : kOther;
    case 10:
      return name == "session_id" ? kSession : name == "state_code" ? kSqlState : kOther;
    case 11:
      return name == "remote_host" ? kHost : kOther;
    case 14:
      return name == "error_severity" ? kSeverity : kOther;
    case 16:
      return name == "application_name" ? kApplication : kOther;
    default:
      return kOther;
  }
}

/// The quote that ends the string whose text begins at `at`; null when it is not there.
const char* closing_quote(const char* at, const char* end, bool& escaped) {
  uint64_t carry = 0;  // the last block ended in a backslash that escapes what follows
  while (static_cast<size_t>(end - at) >= kScanWidth) {
    const uint64_t quotes = byte_mask(at, '"');
    const uint64_t slashes = byte_mask(at, '\\');
    if ((slashes & (slashes << 1U | carry)) != 0) break;  // backslashes in a row: one by one
    const uint64_t closing = quotes & ~(slashes << 1U | carry);
    if (closing != 0) {
      const auto place = static_cast<unsigned>(__builtin_ctzll(closing));
      escaped = escaped || (slashes & ((uint64_t{1} << place) - 1)) != 0;
      return at + place;
    }
    escaped = escaped || slashes != 0;
    carry = slashes >> 63U;
    at += kScanWidth;
  }
  if (carry != 0 && at != end) ++at;
  for (; at < end; ++at) {
    if (*at == '"') return at;
    if (*at != '\\') continue;
    escaped = true;
    ++at;
  }
  return nullptr;
}

class Object {
 public:
  Object(const char* begin, const char* end) : at_(begin), end_(end) {}

  /// The next key and its value; false at the object's end and when it is broken.
  bool next(Key& key, Value& value) {
    if (!skip_to_key()) return false;
    Value name;
    if (!read_string(name)) return broken();
    skip_blanks();
    if (at_ == end_ || *at_ != ':') return broken();
    ++at_;
    skip_blanks();
    key = key_of(name.text);
    value = {};
    if (at_ != end_ && *at_ == '"') return read_string(value) || broken();
    const char* const begin = at_;
    while (at_ != end_ && (*at_ >= '0' || *at_ == '-' || *at_ == '+' || *at_ == '.') &&
           *at_ != '}' && *at_ != '[' && *at_ != '{')
      ++at_;
    value.text = {begin, static_cast<size_t>(at_ - begin)};
    skip_blanks();
    return (at_ != end_ && (*at_ == ',' || *at_ == '}')) || broken();
  }

  [[nodiscard]] bool whole() const { return whole_; }
  [[nodiscard]] const char* position() const { return at_; }

 private:
  bool skip_to_key() {
    skip_blanks();
    if (at_ == end_) return broken();
    if (*at_ == '}') {
      ++at_;
      whole_ = true;
      return false;
    }
    if (*at_ != (first_ ? '{' : ',')) return broken();
    first_ = false;
    ++at_;
    skip_blanks();
    return (at_ != end_ && *at_ == '"') || broken();
  }

  bool read_string(Value& value) {
    const char* const begin = ++at_;
    const char* const quote = short_end(begin, value.escaped);
    if (quote == nullptr) return false;
    value.text = {begin, static_cast<size_t>(quote - begin)};
    value.quoted = true;
    at_ = quote + 1;
    return true;
  }

  /// Keys and most values are short.
  const char* short_end(const char* begin, bool& escaped) const {
    if (end_ - begin > 32) {
      const uint32_t quotes = byte_mask16(begin, '"') | byte_mask16(begin + 16, '"') << 16U;
      const uint32_t slashes = byte_mask16(begin, '\\') | byte_mask16(begin + 16, '\\') << 16U;
      if (quotes != 0 && (slashes & (quotes ^ (quotes - 1))) == 0)
        return begin + __builtin_ctz(quotes);
    }
    return closing_quote(begin, end_, escaped);
  }

  void skip_blanks() {
    if (at_ != end_ && *at_ > ' ') return;  // PostgreSQL writes none
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r'))
      ++at_;
  }

  bool broken() {
    whole_ = false;
    return false;
  }

  const char* at_;
  const char* end_;
  bool first_ = true;
  bool whole_ = false;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// \uXXXX as UTF-8; returns how many bytes of `text` (after the \u) were used.  What is no code
/// point becomes a question mark.
size_t append_code_point(const char* text, const char* end, char*& out) {
  const auto unit = [&](const char* digits) {
    if (end - digits < 4) return -1;
    int value = 0;
    for (int i = 0; i < 4; ++i) {
      const int digit = hex_digit(digits[i]);
      if (digit < 0) return -1;
      value = value * 16 + digit;
    }
    return value;
  };
  const int first = unit(text);
  if (first < 0) {
    *out++ = '?';
    return 0;
  }
  auto code = static_cast<uint32_t>(first);
  size_t used = 4;
  if (code >= 0xD800 && code < 0xDC00 && end - text >= 10 && text[4] == '\\' && text[5] == 'u') {
    const int second = unit(text + 6);
    if (second >= 0xDC00 && second < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10U) + (static_cast<uint32_t>(second) - 0xDC00);
      used = 10;
    }
  }
  const auto put = [&](uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6U);
    put(0x80 | (code & 0x3FU));
  } else if (code >= 0xD800 && code < 0xE000) {
    put('?');
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12U);
    put(0x80 | (code >> 6U & 0x3FU));
    put(0x80 | (code & 0x3FU));
  } else {
    put(0xF0 | code >> 18U);
    put(0x80 | (code >> 12U & 0x3FU));
    put(0x80 | (code >> 6U & 0x3FU));
    put(0x80 | (code & 0x3FU));
  }
  return used;
}

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    default:
      return c;
  }
}

/// Never longer than the text.
char* unescape(std::string_view text, char* out) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const char* const slash = find_near(at, end, '\\');
    std::memcpy(out, at, static_cast<size_t>(slash - at));
    out += slash - at;
    if (end - slash < 2) break;
    at = slash + 2;
    if (slash[1] == 'u')
      at += append_code_point(at, end, out);
    else
      *out++ = unescaped(slash[1]);
  }
  return out;
}

class JsonLog final : public LogParser {
 public:
  explicit JsonLog(const LogParserOptions& options)
      : stamps_(options.timezone), phase_texts_(options.phase_texts) {}

  size_t parse(std::string_view bytes, bool last, RecordHandler& handler) override {
    const char* const begin = bytes.data();
    const char* const end = begin + bytes.size();
    const char* at = begin;
    while (at != end) {
      const auto* const newline =
          static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
      if (newline == nullptr) {
        if (!last) break;
        if (!inside_skipped_) drop("truncated");
        at = end;
        break;
      }
      if (!std::exchange(inside_skipped_, false) && newline != at)
        take_line({at, newline}, base_ + static_cast<uint64_t>(at - begin), handler);
      at = newline + 1;
    }
    if (const uint64_t unknown = stamps_.unknown_zones(); unknown != 0)
      drops_.insert_or_assign("unknown_zone", unknown);
    const auto used = static_cast<size_t>(at - begin);
    base_ += used;
    return used;
  }

  void skipped(uint64_t bytes) override {
    base_ += bytes;
    if (!inside_skipped_) drop("too_long");
    inside_skipped_ = true;
  }

  [[nodiscard]] const DropCounts& drops() const override { return drops_; }
  [[nodiscard]] uint64_t records() const override { return records_; }

 private:
  void take_line(std::string_view line, uint64_t offset, RecordHandler& handler) {
    if (!read_object(line.data(), line.data() + line.size()) || !fill()) return drop("bad_json");
    record_.offset = offset;
    unescape_texts();
    ++records_;
    handler.on_record(record_);
  }

  /// Reads the object that the line is into values_.
  bool read_object(const char* at, const char* end) {
    values_ = {};
    Object object(at, end);
    Key key = kOther;
    Value value;
    while (object.next(key, value))
      values_[key] = value;
    if (!object.whole()) return false;
    at = object.position();
    return at == end || (*at == '\r' && at + 1 == end);
  }

  bool fill() {
    const std::string_view time = values_[kTime].text;
    const Stamp stamp = stamps_.read(time);
    int64_t pid = 0;
    if (stamp.length == 0 || stamp.length != time.size()) return false;
    if (!read_integer(values_[kPid].text, pid) || pid < 0 || pid > INT32_MAX) return false;
    record_ = {};
    record_.at = stamp.at;
    record_.coarse_time = stamp.coarse;
    record_.pid = static_cast<int32_t>(pid);
    record_.session = values_[kSession].text;
    record_.virtual_xid = values_[kVirtualXid].text;
    record_.severity = read_severity(values_[kSeverity].text);
    record_.sqlstate = values_[kSqlState].text;
    record_.has_query_id =
        read_integer(values_[kQueryId].text, record_.query_id) && record_.query_id != 0;
    return true;
  }

  void unescape_texts() {
    static constexpr std::array<Key, 9> kTexts = {
        kUser, kDatabase, kHost, kMessage, kDetail, kHint, kContext, kStatement, kApplication};
    Value& message = values_[kMessage];
    if (!phase_texts_ && message.escaped) {
      const std::string_view head = message.text.substr(0, message.text.find('\\'));
      if (is_phase_message(head)) message = {head, true, false};
    }
    size_t needed = 0;
    for (const Key key : kTexts)
      if (values_[key].escaped) needed += values_[key].text.size();
    if (needed > scratch_.size()) scratch_.resize(needed);
    scratch_used_ = 0;
    record_.user = text_of(kUser);
    record_.database = text_of(kDatabase);
    record_.client_host = text_of(kHost);
    record_.message = text_of(kMessage);
    record_.detail = text_of(kDetail);
    record_.hint = text_of(kHint);
    record_.context = text_of(kContext);
    record_.statement = text_of(kStatement);
    record_.application = text_of(kApplication);
  }

  std::string_view text_of(Key key) {
    const Value& value = values_[key];
    if (!value.escaped) return value.text;
    char* const begin = scratch_.data() + scratch_used_;
    const auto size = static_cast<size_t>(unescape(value.text, begin) - begin);
    scratch_used_ += size;
    return {begin, size};
  }

  void drop(std::string_view reason) {
    if (const auto found = drops_.find(reason); found != drops_.end())
      ++found->second;
    else
      drops_.emplace(reason, 1);
  }

  StampReader stamps_;
  bool phase_texts_;
  DropCounts drops_;
  uint64_t records_ = 0;
  uint64_t base_ = 0;            // offset of the next parse() in the whole input
  bool inside_skipped_ = false;  // what comes next is the rest of a record that was thrown away
  std::array<Value, kKeys> values_;
  LogRecord record_;
  std::vector<char> scratch_;
  size_t scratch_used_ = 0;
};

}  // namespace

std::unique_ptr<LogParser> make_json_parser(const LogParserOptions& options) {
  return std::make_unique<JsonLog>(options);
}

}  // namespace ectoscope
