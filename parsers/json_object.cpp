#include "parsers/json_object.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "parsers/byte_scan.h"

namespace ectoscope {
namespace {

constexpr size_t kWord = 8;

struct KnownKey {
  std::string_view text;
  JsonKey key;
};

// All of PostgreSQL's, in the order in which it writes them.
constexpr KnownKey kKnownKeys[] = {
    {"timestamp", JsonKey::kTime},
    {"user", JsonKey::kUser},
    {"dbname", JsonKey::kDatabase},
    {"pid", JsonKey::kPid},
    {"remote_host", JsonKey::kHost},
    {"remote_port", JsonKey::kOther},
    {"session_id", JsonKey::kSession},
    {"line_num", JsonKey::kOther},
    {"ps", JsonKey::kOther},
    {"session_start", JsonKey::kOther},
    {"vxid", JsonKey::kVirtualXid},
    {"txid", JsonKey::kOther},
    {"error_severity", JsonKey::kSeverity},
    {"state_code", JsonKey::kSqlState},
    {"message", JsonKey::kMessage},
    {"detail", JsonKey::kDetail},
    {"hint", JsonKey::kHint},
    {"internal_query", JsonKey::kOther},
    {"internal_position", JsonKey::kOther},
    {"context", JsonKey::kContext},
    {"statement", JsonKey::kStatement},
    {"cursor_position", JsonKey::kOther},
    {"func_name", JsonKey::kOther},
    {"file_name", JsonKey::kOther},
    {"file_line_num", JsonKey::kOther},
    {"application_name", JsonKey::kApplication},
    {"backend_type", JsonKey::kOther},
    {"leader_pid", JsonKey::kOther},
    {"query_id", JsonKey::kQueryId},
};
constexpr size_t kKnown = std::size(kKnownKeys);

// CloudNativePG's names for them, where they differ: csvlog's columns.
constexpr KnownKey kColumns[] = {
    {"log_time", JsonKey::kTime},           {"user_name", JsonKey::kUser},
    {"database_name", JsonKey::kDatabase},  {"process_id", JsonKey::kPid},
    {"connection_from", JsonKey::kHost},    {"virtual_transaction_id", JsonKey::kVirtualXid},
    {"sql_state_code", JsonKey::kSqlState}, {"query", JsonKey::kStatement},
};

/// A key with its closing quote and colon, its first and last eight bytes as numbers.  Together
/// they tell all but the middle of keys over 16 bytes.
struct QuickKey {
  uint64_t first = 0;
  uint64_t first_mask = 0;
  uint64_t last = 0;
  size_t size = 0;
  size_t last_at = 0;
};

std::array<QuickKey, kKnown> make_quick_keys() {
  std::array<QuickKey, kKnown> keys;
  for (size_t i = 0; i < kKnown; ++i) {
    std::array<char, 32> text{};
    const std::string_view name = kKnownKeys[i].text;
    std::memcpy(text.data(), name.data(), name.size());
    text[name.size()] = '"';
    text[name.size() + 1] = ':';
    keys[i].size = name.size() + 2;
    keys[i].last_at = keys[i].size > kWord ? keys[i].size - kWord : 0;
    std::memcpy(&keys[i].first, text.data(), kWord);
    std::memset(&keys[i].first_mask, 0xFF, std::min(kWord, keys[i].size));
    std::memcpy(&keys[i].last, text.data() + keys[i].last_at, kWord);
  }
  return keys;
}

const std::array<QuickKey, kKnown> kQuickKeys = make_quick_keys();

JsonKey key_of(std::string_view name) {
  for (const KnownKey& known : kKnownKeys)
    if (known.text == name) return known.key;
  for (const KnownKey& column : kColumns)
    if (column.text == name) return column.key;
  return JsonKey::kOther;
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

class Reading {
 public:
  explicit Reading(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {}

  bool run(JsonValues& values) {
    while (next_key()) {
      JsonValue value;
      if (!read_value(value)) return false;
      values[key_] = value;
    }
    return whole_ && at_ == end_;
  }

 private:
  static constexpr std::ptrdiff_t kRoom = 20;  // the longest key with its quote and colon

  /// Goes to the next key's value; false at the object's end and when it is broken.
  bool next_key() {
    const char opening = first_ ? '{' : ',';
    if (end_ - at_ > 16 && at_[0] == opening && at_[1] == '"' && quick_key(at_ + 2)) {
      first_ = false;
      skip_blanks();  // other writers put one before the value
      return true;
    }
    skip_blanks();
    if (at_ == end_) return false;
    if (*at_ == '}') {
      whole_ = true;
      ++at_;
      skip_blanks();
      return false;
    }
    if (*at_ != opening) return false;
    first_ = false;
    ++at_;
    skip_blanks();
    JsonValue name;
    if (at_ == end_ || *at_ != '"' || !read_string(name)) return false;
    key_ = key_of(name.text);
    skip_blanks();
    if (at_ == end_ || *at_ != ':') return false;
    ++at_;
    skip_blanks();
    return true;
  }

  /// Takes the key if it is PostgreSQL's and comes in PostgreSQL's order; some are left out.
  bool quick_key(const char* at) {
    uint64_t first = 0;
    std::memcpy(&first, at, kWord);
    for (size_t i = expected_; i < kKnown; ++i) {
      const QuickKey& key = kQuickKeys[i];
      if ((first & key.first_mask) != key.first) continue;
      if (key.size > kWord) {
        if (end_ - at < kRoom) return false;
        uint64_t last = 0;
        std::memcpy(&last, at + key.last_at, kWord);
        if (last != key.last) continue;
        const std::string_view name = kKnownKeys[i].text;
        if (key.size > 2 * kWord && std::memcmp(at, name.data(), name.size()) != 0) continue;
      }
      expected_ = i + 1;
      key_ = kKnownKeys[i].key;
      at_ = at + key.size;
      return true;
    }
    return false;
  }

  bool read_value(JsonValue& value) {
    if (at_ == end_) return false;
    if (*at_ == '"') return read_string(value);
    const char* const begin = at_;
    if (end_ - at_ >= 16) {
      const uint32_t stops = byte_mask16(at_, ',') | byte_mask16(at_, '}');
      const uint32_t others = byte_mask16(at_, '{') | byte_mask16(at_, '[') | byte_mask16(at_, '"');
      const uint32_t before = stops ^ (stops - 1);
      if (stops != 0 && (others & before) == 0) at_ += __builtin_ctz(stops);
    }
    while (at_ != end_ && *at_ != ',' && *at_ != '}') {
      if (*at_ == '{' || *at_ == '[' || *at_ == '"') return false;
      ++at_;
    }
    value.text = {begin, static_cast<size_t>(at_ - begin)};
    while (value.text.ends_with(' '))
      value.text.remove_suffix(1);
    return true;
  }

  bool read_string(JsonValue& value) {
    const char* const begin = ++at_;
    const char* const quote = short_end(begin, value.escaped);
    if (quote == nullptr) return false;
    value.text = {begin, static_cast<size_t>(quote - begin)};
    at_ = quote + 1;
    return true;
  }

  /// Most values are short.
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
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r'))
      ++at_;
  }

  const char* at_;
  const char* end_;
  size_t expected_ = 0;  // the next key in PostgreSQL's order
  JsonKey key_ = JsonKey::kOther;
  bool first_ = true;
  bool whole_ = false;
};

}  // namespace

bool read_json_object(std::string_view line, JsonValues& values) {
  values = {};
  return Reading(line).run(values);
}

}  // namespace ectoscope
