#include "daemon/time_argument.h"

namespace ectoscope {
namespace {

/// Reads from the front of a text; every method leaves the text alone when it fails.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool done() const { return text_.empty(); }

  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  /// Exactly `digits` digits that come to no more than `max`.
  std::optional<int> number(size_t digits, int max) {
    if (text_.size() < digits) return std::nullopt;
    int value = 0;
    for (const char c : text_.substr(0, digits)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    if (value > max) return std::nullopt;
    text_.remove_prefix(digits);
    return value;
  }

  /// One to six digits after the point, in microseconds.
  std::optional<int> fraction() {
    int value = 0;
    int digits = 0;
    for (; digits < 6; ++digits) {
      const auto digit = number(1, 9);
      if (!digit) break;
      value = value * 10 + *digit;
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 6; ++digits)
      value *= 10;
    return value;
  }

 private:
  std::string_view text_;
};

std::optional<EventTime> read_date(Reader& reader) {
  const auto year = reader.number(4, 9999);
  if (!year || !reader.take('-')) return std::nullopt;
  const auto month = reader.number(2, 12);
  if (!month || !reader.take('-')) return std::nullopt;
  const auto day = reader.number(2, 31);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return EventTime(std::chrono::sys_days(date));
}

std::optional<Micros> read_time(Reader& reader) {
  const auto hour = reader.number(2, 23);
  if (!hour || !reader.take(':')) return std::nullopt;
  const auto minute = reader.number(2, 59);
  if (!minute) return std::nullopt;
  Micros time = std::chrono::hours(*hour) + std::chrono::minutes(*minute);
  if (!reader.take(':')) return time;
  const auto second = reader.number(2, 59);
  if (!second) return std::nullopt;
  time += std::chrono::seconds(*second);
  if (!reader.take('.')) return time;
  const auto fraction = reader.fraction();
  if (!fraction) return std::nullopt;
  return time + Micros(*fraction);
}

std::optional<Micros> read_zone(Reader& reader) {
  if (reader.done() || reader.take('Z') || reader.take('z')) return Micros(0);
  const int sign = reader.take('+') ? 1 : reader.take('-') ? -1 : 0;
  if (sign == 0) return std::nullopt;
  const auto hours = reader.number(2, 14);
  if (!hours) return std::nullopt;
  reader.take(':');
  const auto minutes = reader.done() ? 0 : reader.number(2, 59);
  if (!minutes) return std::nullopt;
  return sign * (std::chrono::hours(*hours) + std::chrono::minutes(*minutes));
}

}  // namespace

std::optional<EventTime> parse_time_argument(std::string_view text) {
  Reader reader(text);
  auto at = read_date(reader);
  if (!at) return std::nullopt;
  if (!reader.done()) {
    if (!reader.take(' ') && !reader.take('T')) return std::nullopt;
    const auto time = read_time(reader);
    if (!time) return std::nullopt;
    reader.take(' ');
    const auto zone = read_zone(reader);
    if (!zone) return std::nullopt;
    *at += *time - *zone;
  }
  if (!reader.done()) return std::nullopt;
  return at;
}

}  // namespace ectoscope
