#include "parsers/envelope_times.h"

#include <array>
#include <chrono>
#include <optional>

namespace ectoscope {
namespace {

namespace chrono = std::chrono;

constexpr size_t kTimeOfDay = 8;  // 08:27:00

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The number in `length` digits at `at`; negative when they are none.
int digits(std::string_view text, size_t at, size_t length) {
  if (text.size() < at + length) return -1;
  int number = 0;
  for (const char c : text.substr(at, length)) {
    if (!is_digit(c)) return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

/// 08:27:00 at `at`.
std::optional<chrono::seconds> time_of_day(std::string_view text, size_t at) {
  if (text.size() < at + kTimeOfDay || text[at + 2] != ':' || text[at + 5] != ':')
    return std::nullopt;
  const int hour = digits(text, at, 2);
  const int minute = digits(text, at + 3, 2);
  const int second = digits(text, at + 6, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
    return std::nullopt;
  return chrono::hours(hour) + chrono::minutes(minute) + chrono::seconds(second);
}

/// `.123456789` at `at`, cut to microseconds; its length, 0 when there is none.
size_t read_fraction(std::string_view text, size_t at, Micros& fraction) {
  if (at + 1 >= text.size() || text[at] != '.' || !is_digit(text[at + 1])) return 0;
  size_t end = at + 1;
  int64_t unit = 100'000;
  int64_t micros = 0;
  for (; end < text.size() && end < at + 10 && is_digit(text[end]); ++end, unit /= 10)
    micros += (text[end] - '0') * unit;
  fraction = Micros(micros);
  return end - at;
}

/// `Z`, `+01:00` or `+0100` at `at`; its length, 0 when there is none.
size_t read_offset(std::string_view text, size_t at, chrono::seconds& offset) {
  if (at >= text.size()) return 0;
  offset = chrono::seconds(0);
  if (text[at] == 'Z') return 1;
  if (text[at] != '+' && text[at] != '-') return 0;
  const bool colon = at + 3 < text.size() && text[at + 3] == ':';
  const int hours = digits(text, at + 1, 2);
  const int minutes = digits(text, at + (colon ? 4 : 3), 2);
  if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59) return 0;
  offset = chrono::hours(hours) + chrono::minutes(minutes);
  if (text[at] == '-') offset = -offset;
  return colon ? 6 : 5;
}

unsigned month_number(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (size_t i = 0; i < kMonths.size(); ++i)
    if (kMonths[i] == name) return static_cast<unsigned>(i + 1);
  return 0;
}

}  // namespace

EnvelopeTime read_rfc3339(std::string_view text) {
  constexpr size_t kDate = 11;  // 2026-11-22T
  if (text.size() < kDate + kTimeOfDay || text[4] != '-' || text[7] != '-' || text[10] != 'T')
    return {};
  const chrono::year_month_day date{chrono::year(digits(text, 0, 4)),
                                    chrono::month(static_cast<unsigned>(digits(text, 5, 2))),
                                    chrono::day(static_cast<unsigned>(digits(text, 8, 2)))};
  const auto time = time_of_day(text, kDate);
  if (!is_digit(text[0]) || !date.ok() || !time) return {};
  size_t at = kDate + kTimeOfDay;
  Micros fraction{0};
  const size_t fraction_length = read_fraction(text, at, fraction);
  at += fraction_length;
  chrono::seconds offset{0};
  const size_t offset_length = read_offset(text, at, offset);
  if (offset_length == 0) return {};
  const Micros day = chrono::sys_days(date).time_since_epoch();
  return {EventTime(day + *time - offset + fraction), fraction_length == 0, at + offset_length};
}

EnvelopeTime read_syslog_time(std::string_view text, EventTime now, chrono::seconds offset) {
  constexpr size_t kDate = 7;  // "Nov 22 "
  if (text.size() < kDate + kTimeOfDay || text[3] != ' ' || text[6] != ' ') return {};
  const unsigned month = month_number(text.substr(0, 3));
  const int day = text[4] == ' ' ? digits(text, 5, 1) : digits(text, 4, 2);
  const auto time = time_of_day(text, kDate);
  if (month == 0 || day < 1 || !time) return {};
  Micros fraction{0};
  const size_t fraction_length = read_fraction(text, kDate + kTimeOfDay, fraction);
  const chrono::year_month_day today(chrono::floor<chrono::days>(now));
  const auto in_year = [&](chrono::year year) {
    const chrono::year_month_day date{year, chrono::month(month),
                                      chrono::day(static_cast<unsigned>(day))};
    const Micros since = chrono::sys_days(date).time_since_epoch();
    return EventTime(since + *time - offset + fraction);
  };
  EventTime at = in_year(today.year());
  if (at > now + chrono::days(1)) at = in_year(today.year() - chrono::years(1));
  return {at, fraction_length == 0, kDate + kTimeOfDay + fraction_length};
}

}  // namespace ectoscope
