#include "parsers/comment_tags.h"

#define XXH_INLINE_ALL
#include <algorithm>
#include <cstring>
#include <xxhash.h>

namespace ectoscope {
namespace {

constexpr size_t kMaxComment = size_t{16} << 10U;
constexpr int kMaxKeys = 64;
constexpr size_t kMaxRoute = 120;
constexpr size_t kMaxPlace = 160;
constexpr size_t kMaxLineDigits = 8;  // with the colon
constexpr size_t kMaxRequestId = 256;
constexpr size_t kTraceparentLength = 55;
constexpr std::string_view kTraceparentTag = "traceparent='";
constexpr size_t kMaxRemembered = 1024;  // bytes of a comment

constexpr uint64_t kOnes = 0x0101010101010101ULL;
constexpr uint64_t kHigh = 0x80 * kOnes;

// Eight lower-case hex digits as one word; sets bits of `bad` where one of them is none.
[[gnu::always_inline]] inline uint64_t hex8(const char* text, uint64_t& bad) {
  uint64_t word = 0;
  std::memcpy(&word, text, 8);
  bad |= word & kHigh;
  word &= ~kHigh;
  // The high bit of each byte: is it in '0'..'9', is it in 'a'..'f'?  No sum carries: all < 0x80.
  const uint64_t digit = (word + (0x80 - '0') * kOnes) & ~(word + (0x80 - ('9' + 1)) * kOnes);
  const uint64_t letter = (word + (0x80 - 'a') * kOnes) & ~(word + (0x80 - ('f' + 1)) * kOnes);
  bad |= ~(digit | letter) & kHigh;
  uint64_t nibbles = (word & (0x0F * kOnes)) + ((letter & kHigh) >> 7U) * 9;  // 'a': 1 + 9
  // The first digit is the lowest byte: bring it to the top.
  nibbles = ((nibbles << 4U) | (nibbles >> 8U)) & 0x00FF00FF00FF00FFULL;
  nibbles = ((nibbles << 8U) | (nibbles >> 16U)) & 0x0000FFFF0000FFFFULL;
  return ((nibbles << 16U) | (nibbles >> 32U)) & 0xFFFFFFFFULL;
}

[[gnu::always_inline]] inline uint64_t hex16(const char* text, uint64_t& bad) {
  const uint64_t high = hex8(text, bad);
  return (high << 32U) | hex8(text + 8, bad);
}

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '%';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Percent-decoding (a '+' stays one) and the backslash before a quote.
void append_decoded(std::string_view value, std::string& out, size_t limit) {
  for (size_t i = 0; i < value.size() && out.size() < limit; ++i) {
    char c = value[i];
    if (c == '%' && i + 2 < value.size() && hex_value(value[i + 1]) >= 0 &&
        hex_value(value[i + 2]) >= 0) {
      c = static_cast<char>(hex_value(value[i + 1]) * 16 + hex_value(value[i + 2]));
      i += 2;
    } else if (c == '\\' && i + 1 < value.size()) {
      c = value[++i];
    }
    out += c;
  }
}

void skip_space(std::string_view text, size_t& i) {
  while (i < text.size() && is_space(text[i]))
    ++i;
}

// The value at `i`, which is left behind it: quoted, or to the next comma; after '=' a space ends
// it as well.
std::string_view take_value(std::string_view text, size_t& i, bool spaces) {
  skip_space(text, i);
  const size_t begin = i;
  const char quote = i < text.size() ? text[i] : '\0';
  if (quote == '\'' || quote == '"') {
    for (++i; i < text.size() && text[i] != quote; ++i) {
      if (text[i] == '\\') ++i;
    }
    const size_t end = std::min(i, text.size());
    ++i;
    return text.substr(begin + 1, end - begin - 1);
  }
  while (i < text.size() && text[i] != ',' && text[i] != ';' && (spaces || !is_space(text[i])))
    ++i;
  size_t end = i;
  while (end > begin && is_space(text[end - 1]))
    --end;
  return text.substr(begin, end - begin);
}

bool harmless(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::strchr("_./:#@+-{}[]()*,= !?~", c) != nullptr;
}

void make_harmless(std::string& text) {
  for (char& c : text) {
    if (c == '\0' || !harmless(c)) c = '_';
  }
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool looks_like_id(std::string_view segment) {
  const bool uuid = segment.size() == 36 && std::all_of(segment.begin(), segment.end(), [](char c) {
                      return hex_value(c) >= 0 || c == '-';
                    });
  return uuid || all_digits(segment);
}

// A path with ids in it names one row, not a route, and would be a route of its own each.
void generalize_path(std::string& route) {
  if (route.find('/') == std::string::npos) return;
  std::string out;
  for (size_t begin = 0; begin <= route.size();) {
    const size_t end = std::min(route.find('/', begin), route.size());
    const std::string_view segment = std::string_view(route).substr(begin, end - begin);
    if (looks_like_id(segment)) {
      out += ":id";
    } else {
      out += segment;
    }
    if (end < route.size()) out += '/';
    begin = end + 1;
  }
  route = std::move(out);
}

}  // namespace

void merge_tags(CommentTags& into, const CommentTags& from) {
  into.commented = into.commented || from.commented;
  into.ignored = into.ignored || from.ignored;
  into.bad_traceparent = into.bad_traceparent || from.bad_traceparent;
  if (!into.trace_id.known()) into.trace_id = from.trace_id;
  if (into.request_tag == 0) into.request_tag = from.request_tag;
  if (into.route == 0) into.route = from.route;
}

TraceId parse_traceparent(std::string_view text) {
  if (text.size() < kTraceparentLength) return {};
  const char* const at = text.data();
  if (at[2] != '-' || at[35] != '-' || at[52] != '-') return {};
  if (!is_lower_hex(at[0]) || !is_lower_hex(at[1]) || !is_lower_hex(at[53]) ||
      !is_lower_hex(at[54])) {
    return {};
  }
  const bool first_version = at[0] == '0' && at[1] == '0';
  if (at[0] == 'f' && at[1] == 'f') return {};
  if (text.size() > kTraceparentLength && (first_version || at[55] != '-')) return {};
  uint64_t bad = 0;
  const TraceId id{hex16(at + 3, bad), hex16(at + 19, bad)};
  const uint64_t span = hex16(at + 36, bad);
  return bad == 0 && span != 0 ? id : TraceId{};
}

void CommentTagReader::read(std::string_view comment, CommentTags& tags) {
  tags.commented = true;
  comment = comment.substr(0, kMaxComment);
  const size_t at = comment.find(kTraceparentTag);
  const size_t end = at + kTraceparentTag.size() + kTraceparentLength;
  if (at == std::string_view::npos || end >= comment.size() || comment[end] != '\'') {
    read_fully(comment, tags);
    return;
  }
  const std::string_view before = comment.substr(0, at);
  const std::string_view after = comment.substr(end + 1);
  const std::string_view id = comment.substr(at + kTraceparentTag.size(), kTraceparentLength);
  if (before.empty() && after.empty()) return take_traceparent(id, tags);
  Remembered& known = remembered_[XXH3_64bits(before.data(), before.size()) % kRemembered];
  if (known.filled && known.before == before && known.after == after) {
    take_traceparent(id, tags);
    tags.ignored = tags.ignored || known.ignored;
    if (tags.route == 0) tags.route = known.route;
    return;
  }
  CommentTags own;
  const Values values = read_fully(comment, own);
  if (values[kTraceparent].data() == id.data() && values[kTraceparent].size() == id.size() &&
      values[kRequestId].empty() && comment.size() <= kMaxRemembered) {
    known.filled = true;
    known.before = before;
    known.after = after;
    known.route = own.route;
    known.ignored = own.ignored;
  }
  merge_tags(tags, own);
}

CommentTagReader::Values CommentTagReader::read_fully(std::string_view comment, CommentTags& tags) {
  tags.ignored = tags.ignored || comment.find("ectoscope:ignore") != std::string_view::npos;
  const Values values = split(comment);
  if (!values[kTraceparent].empty()) take_traceparent(values[kTraceparent], tags);
  if (!values[kRequestId].empty() && tags.request_tag == 0) {
    scratch_.clear();
    append_decoded(values[kRequestId], scratch_, kMaxRequestId);
    tags.request_tag = keyed_hash(key_, scratch_);
  }
  if (tags.route == 0) tags.route = route_of(values);
  return values;
}

void CommentTagReader::take_traceparent(std::string_view text, CommentTags& tags) {
  const TraceId id = parse_traceparent(text);
  if (!id.known()) {
    tags.bad_traceparent = true;
  } else if (!tags.trace_id.known()) {
    tags.trace_id = id;
  }
}

CommentTagReader::Values CommentTagReader::split(std::string_view comment) {
  Values values;
  size_t i = 0;
  for (int keys = 0; i < comment.size() && keys < kMaxKeys;) {
    const size_t key_begin = i;
    while (i < comment.size() && is_key_char(comment[i]))
      ++i;
    const std::string_view key = comment.substr(key_begin, i - key_begin);
    skip_space(comment, i);
    const char separator = i < comment.size() ? comment[i] : '\0';
    if (key.empty() || (separator != '=' && separator != ':')) {
      if (i == key_begin) ++i;  // a comma, or prose
      continue;
    }
    ++i;
    ++keys;
    const std::string_view value = take_value(comment, i, separator == ':');
    const size_t number = key_number(key);
    if (number < kKeys && values[number].empty()) values[number] = value;
  }
  return values;
}

std::string_view CommentTagReader::name_of(size_t key) {
  static constexpr std::array<std::string_view, kKeys> kNames = {
      "traceparent", "request_id",    "controller",  "action",         "route", "job",
      "worker",      "live_view",     "endpoint",    "operation",      "label", "file",
      "line",        "code.filepath", "code.lineno", "source_location"};
  return kNames[key];
}

size_t CommentTagReader::key_number(std::string_view key) {
  size_t number = 0;
  while (number < kKeys && name_of(number) != key)
    ++number;
  return number;
}

uint32_t CommentTagReader::route_of(const Values& values) {
  const std::string place = place_of(values);
  const std::string_view tag = read_route(values);
  return routes_.intern(scratch_, tag, place);
}

// Leaves the route in scratch_ and returns the key that named it.
std::string_view CommentTagReader::read_route(const Values& values) {
  scratch_.clear();
  size_t named_by = kController;
  if (!values[kController].empty() && !values[kAction].empty()) {
    append_decoded(values[kController], scratch_, kMaxRoute);
    scratch_ += '.';
    append_decoded(values[kAction], scratch_, kMaxRoute);
  } else {
    for (const Key key :
         {kRoute, kJob, kWorker, kLiveView, kEndpoint, kOperation, kLabel, kController, kAction}) {
      if (values[key].empty()) continue;
      append_decoded(values[key], scratch_, kMaxRoute);
      named_by = key;
      break;
    }
  }
  if (scratch_.empty()) return {};
  generalize_path(scratch_);
  constexpr std::string_view kModule = "Elixir.";  // as inspect/1 does not show it
  if (scratch_.starts_with(kModule)) scratch_.erase(0, kModule.size());
  if (scratch_.size() > kMaxRoute) scratch_.resize(kMaxRoute);
  make_harmless(scratch_);
  return name_of(named_by);
}

// Of `file='lib/shop.ex',line='12'`, `source_location='lib/shop.ex:12'` and `line:lib/shop.ex:12:in
// f/1`, as the libraries write it.
std::string CommentTagReader::place_of(const Values& values) {
  const auto first_of = [&values](std::initializer_list<Key> keys) {
    for (const Key key : keys) {
      if (!values[key].empty()) return values[key];
    }
    return std::string_view();
  };
  std::string line;
  append_decoded(first_of({kLine, kCodeLine}), line, kMaxPlace);
  std::string place;
  append_decoded(first_of({kFile, kCodePath, kSourceLocation}), place, kMaxPlace - kMaxLineDigits);
  if (place.empty() && !all_digits(line)) place.swap(line);
  if (place.empty()) return {};
  if (all_digits(line) && line.size() < kMaxLineDigits) {
    place += ':' + line;
  } else if (const size_t colon = place.find(':'); colon != std::string::npos) {
    size_t end = colon + 1;
    while (end < place.size() && place[end] >= '0' && place[end] <= '9')
      ++end;
    place.resize(end > colon + 1 ? end : colon);
  }
  make_harmless(place);
  return place;
}

}  // namespace ectoscope
