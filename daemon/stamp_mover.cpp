#include "daemon/stamp_mover.h"

#include <array>
#include <charconv>

namespace ectoscope {
namespace {

constexpr size_t kStampSize = 23;  // 2026-11-22 08:47:26.862
constexpr std::string_view kZone = " UTC ";
constexpr std::string_view kSession = " sess=";
constexpr std::string_view kTraceparent = "traceparent='00-";
constexpr size_t kPrefixSize = 400;  // of which the log_line_prefix is no longer
constexpr size_t kPassDigits = 4;    // of a trace id

bool read_digits(std::string_view text, size_t at, size_t count, int& number) {
  const char* from = text.data() + at;
  const auto [end, error] = std::from_chars(from, from + count, number);
  return error == std::errc{} && end == from + count;
}

/// Lower-case hex with leading zeros to `width`, more digits where it needs them.
std::string hex(uint64_t number, size_t width) {
  std::array<char, 16> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, 16);
  std::string text(buffer.data(), end);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

}  // namespace

std::optional<EventTime> stamp_of_line(std::string_view line) {
  if (line.size() < kStampSize + kZone.size()) return std::nullopt;
  if (line.substr(kStampSize, kZone.size()) != kZone) return std::nullopt;
  if (line[4] != '-' || line[7] != '-' || line[10] != ' ' || line[13] != ':' || line[16] != ':' ||
      line[19] != '.') {
    return std::nullopt;
  }
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int milli = 0;
  if (!read_digits(line, 0, 4, year) || !read_digits(line, 5, 2, month) ||
      !read_digits(line, 8, 2, day) || !read_digits(line, 11, 2, hour) ||
      !read_digits(line, 14, 2, minute) || !read_digits(line, 17, 2, second) ||
      !read_digits(line, 20, 3, milli)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + std::chrono::milliseconds(milli);
}

std::string StampMover::moved(std::string_view line) const {
  std::string result(line);
  if (const auto stamp = stamp_of_line(line)) {
    std::string text = format_rfc3339(*stamp + by_);  // 2026-11-22T08:29:33.354000Z
    text[10] = ' ';
    result.replace(0, kStampSize, text, 0, kStampSize);
    move_session(result);
  }
  change_trace_id(result);
  return result;
}

void StampMover::move_session(std::string& line) const {
  const size_t found = std::string_view(line).substr(0, kPrefixSize).find(kSession);
  if (found == std::string::npos) return;
  const size_t from = found + kSession.size();
  uint64_t start = 0;
  const auto [end, error] =
      std::from_chars(line.data() + from, line.data() + line.size(), start, 16);
  if (error != std::errc{} || end == line.data() + line.size() || *end != '.') return;
  const auto size = static_cast<size_t>(end - (line.data() + from));
  line.replace(from, size, hex(start + static_cast<uint64_t>(by_.count()), size));
}

void StampMover::change_trace_id(std::string& line) const {
  for (size_t at = line.find(kTraceparent); at != std::string::npos;
       at = line.find(kTraceparent, at + 1)) {
    const size_t from = at + kTraceparent.size();
    if (line.size() < from + kPassDigits) return;
    uint32_t digits = 0;
    const char* begin = line.data() + from;
    const auto [end, error] = std::from_chars(begin, begin + kPassDigits, digits, 16);
    if (error != std::errc{} || end != begin + kPassDigits) continue;
    line.replace(from, kPassDigits, hex((digits + pass_) & 0xFFFFU, kPassDigits));
  }
}

}  // namespace ectoscope
