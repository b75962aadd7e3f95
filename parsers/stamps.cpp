#include "parsers/stamps.h"

#include <algorithm>
#include <cstring>

namespace ectoscope {
namespace {

using std::chrono::seconds;

constexpr size_t kSecondLength = 19;
constexpr size_t kMaxZoneLength = 6;

struct Zone {
  std::string_view name;
  int minutes;
};

// The zones whose abbreviation means one offset wherever PostgreSQL prints it.
constexpr Zone kZones[] = {
    {"UTC", 0},    {"GMT", 0},    {"Z", 0},      {"UCT", 0},     {"WET", 0},     {"WEST", 60},
    {"CET", 60},   {"CEST", 120}, {"MET", 60},   {"MEST", 120},  {"EET", 120},   {"EEST", 180},
    {"MSK", 180},  {"SAST", 120}, {"CAT", 120},  {"EAT", 180},   {"WAT", 60},    {"PKT", 300},
    {"JST", 540},  {"KST", 540},  {"HKT", 480},  {"WIB", 420},   {"WITA", 480},  {"WIT", 540},
    {"AWST", 480}, {"ACST", 570}, {"ACDT", 630}, {"AEST", 600},  {"AEDT", 660},  {"NZST", 720},
    {"NZDT", 780}, {"ChST", 600}, {"EST", -300}, {"EDT", -240},  {"CDT", -300},  {"MST", -420},
    {"MDT", -360}, {"PST", -480}, {"PDT", -420}, {"AKST", -540}, {"AKDT", -480}, {"HST", -600},
    {"HDT", -540}, {"AST", -240}, {"ADT", -180}, {"NST", -210},  {"NDT", -150},
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int two_digits(const char* text) {
  return (text[0] - '0') * 10 + (text[1] - '0');
}

std::optional<seconds> numeric_offset(std::string_view zone) {
  const bool negative = zone[0] == '-';
  std::string digits;
  for (const char c : zone.substr(1)) {
    if (c == ':' && digits.size() == 2) continue;
    if (!is_digit(c)) return std::nullopt;
    digits += c;
  }
  if (digits.size() != 2 && digits.size() != 4) return std::nullopt;
  const int hours = two_digits(digits.data());
  const int minutes = digits.size() == 4 ? two_digits(digits.data() + 2) : 0;
  if (hours > 15 || minutes > 59) return std::nullopt;
  const seconds offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return negative ? -offset : offset;
}

bool same_second(const char* a, const char* b) {
  return std::memcmp(a, b, 8) == 0 && std::memcmp(a + 8, b + 8, 8) == 0 &&
         std::memcmp(a + kSecondLength - 4, b + kSecondLength - 4, 4) == 0;
}

/// Reads `.354`: three digits mostly, up to six.
size_t read_fraction(std::string_view text, int64_t& micros) {
  if (text.size() > 4 && is_digit(text[2]) && is_digit(text[3]) && !is_digit(text[4])) {
    micros = int64_t{1000} * ((text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0'));
    return 4;
  }
  size_t at = 1;
  int64_t unit = 100'000;
  for (; at < text.size() && is_digit(text[at]) && unit > 0; ++at, unit /= 10)
    micros += (text[at] - '0') * unit;
  return at;
}

/// Length of the zone's name at the front of the text: letters, or a sign and digits.
size_t zone_length(std::string_view text) {
  if (text.empty()) return 0;
  size_t length = 0;
  if (text[0] == '+' || text[0] == '-') {
    length = 1;
    while (length < text.size() && length < kMaxZoneLength && is_digit(text[length]))
      ++length;
    return length > 1 ? length : 0;
  }
  if (text.starts_with("ChST")) return 4;
  while (length < text.size() && length < kMaxZoneLength && text[length] >= 'A' &&
         text[length] <= 'Z')
    ++length;
  const bool goes_on = length < text.size() && ((text[length] >= 'a' && text[length] <= 'z') ||
                                                is_digit(text[length]) || text[length] == '_');
  return goes_on ? 0 : length;
}

}  // namespace

std::optional<seconds> utc_offset(std::string_view zone) {
  if (zone.empty()) return std::nullopt;
  if (zone[0] == '+' || zone[0] == '-') return numeric_offset(zone);
  const auto* const found = std::find_if(std::begin(kZones), std::end(kZones),
                                         [&](const Zone& z) { return z.name == zone; });
  if (found == std::end(kZones)) return std::nullopt;
  return std::chrono::minutes(found->minutes);
}

StampReader::StampReader(std::string_view default_zone)
    : default_offset_(utc_offset(default_zone).value_or(seconds(0))), offset_(default_offset_) {}

Stamp StampReader::read(std::string_view text) {
  if (text.size() < kSecondLength) return {};
  if (!same_second(text.data(), second_text_.data()) && !learn_second(text.data())) return {};
  size_t at = kSecondLength;
  int64_t micros = 0;
  const bool coarse = at + 1 >= text.size() || text[at] != '.' || !is_digit(text[at + 1]);
  if (!coarse) at += read_fraction(text.substr(at), micros);
  seconds offset = default_offset_;
  if (at + 1 < text.size() && text[at] == ' ') {
    if (const size_t length = read_zone(text.substr(at + 1)); length != 0) {
      offset = offset_;
      at += 1 + length;
    }
  }
  return {EventTime(Micros(second_ * 1'000'000 + micros) - offset), coarse, at};
}

bool StampReader::learn_second(const char* text) {
  static constexpr char kForm[] = "dddd-dd-dd dd:dd:dd";
  for (size_t i = 0; i < kSecondLength; ++i)
    if (kForm[i] == 'd' ? !is_digit(text[i]) : text[i] != kForm[i]) return false;
  namespace chrono = std::chrono;
  const chrono::year_month_day date{chrono::year(two_digits(text) * 100 + two_digits(text + 2)),
                                    chrono::month(static_cast<unsigned>(two_digits(text + 5))),
                                    chrono::day(static_cast<unsigned>(two_digits(text + 8)))};
  const int hour = two_digits(text + 11);
  const int minute = two_digits(text + 14);
  const int second = two_digits(text + 17);
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return false;
  const chrono::sys_seconds time =
      chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) + seconds(second);
  second_ = time.time_since_epoch().count();
  std::memcpy(second_text_.data(), text, kSecondLength);
  return true;
}

size_t StampReader::read_zone(std::string_view text) {
  // The known name is only believed up to a byte that cannot go on with it.
  if (!zone_.empty() && text.size() > zone_.size() &&
      static_cast<unsigned char>(text[zone_.size()]) < '0' && text.starts_with(zone_))
    return zone_.size();
  const size_t length = zone_length(text);
  if (length == 0) return 0;
  const std::string_view name = text.substr(0, length);
  if (name == zone_) return length;
  const std::optional<seconds> offset = utc_offset(name);
  if (!offset) ++unknown_zones_;
  offset_ = offset.value_or(default_offset_);
  zone_ = name;
  return length;
}

Stamp StampReader::read_epoch(std::string_view text) {
  int64_t whole = 0;
  size_t at = 0;
  while (at < text.size() && at < 12 && is_digit(text[at]))
    whole = whole * 10 + (text[at++] - '0');
  if (at < 9) return {};
  int64_t micros = 0;
  const bool coarse = at + 1 >= text.size() || text[at] != '.' || !is_digit(text[at + 1]);
  if (!coarse) at += read_fraction(text.substr(at), micros);
  return {EventTime(Micros(whole * 1'000'000 + micros)), coarse, at};
}

}  // namespace ectoscope
