#include "outputs/text_layout.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "outputs/json_writer.h"

namespace ectoscope {
namespace {

std::string_view ellipsis(const TextStyle& style) {
  return style.unicode ? "…" : "...";
}

std::string formatted(const char* format, double number, std::string_view unit) {
  std::array<char, 64> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, number);
  return std::string(buffer.data(), static_cast<size_t>(length)) + std::string(unit);
}

uint32_t code_point(std::string_view sequence) {
  const auto at = [sequence](size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return at(0);
  uint32_t value = at(0) & (0xFFU >> (sequence.size() + 1));
  for (size_t i = 1; i < sequence.size(); ++i)
    value = (value << 6U) | (at(i) & 0x3FU);
  return value;
}

// C0, DEL, C1, and what hides or turns around the text beside it, and what XML may not hold.
bool obeyed(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         c == 0xFFFE || c == 0xFFFF || c >= 0xE0000;
}

void escape(uint32_t c, std::string& out) {
  std::array<char, 16> buffer{};
  const int length =
      std::snprintf(buffer.data(), buffer.size(), c < 0x100 ? "\\x%02x" : "\\u%04x", c);
  out.append(buffer.data(), static_cast<size_t>(length));
}

/// Bytes of the first `count` code points.
size_t bytes_of(std::string_view text, size_t count) {
  size_t at = 0;
  for (; count > 0 && at < text.size(); --count)
    at += std::max<size_t>(1, utf8_length(text.substr(at)));
  return at;
}

/// Where the FROM of the outermost SELECT begins; npos when there is none.
size_t outer_from(std::string_view sql) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (depth == 0 && c == ' ' && sql.substr(i + 1).starts_with("FROM ")) return i + 1;
  }
  return std::string_view::npos;
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) {
      out += '?';
      text.remove_prefix(1);
      continue;
    }
    const uint32_t c = code_point(text.substr(0, length));
    if (c == '\n' || c == '\t' || c == '\r') {
      out += ' ';
    } else if (obeyed(c)) {
      escape(c, out);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

size_t columns(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
  }));
}

std::string shorten(std::string_view text, size_t width, const TextStyle& style) {
  if (columns(text) <= width) return std::string(text);
  const size_t room = width - std::min(width, columns(ellipsis(style)));
  return std::string(text.substr(0, bytes_of(text, room))) + std::string(ellipsis(style));
}

std::string shorten_sql(std::string_view sql, size_t width, const TextStyle& style) {
  std::string text(sql);
  if (columns(text) <= width) return text;
  const std::string gap(ellipsis(style));
  const std::string select = "SELECT ";
  const size_t from = outer_from(text);
  if (text.starts_with(select) && from != std::string::npos && from > select.size() + 8) {
    text = select + gap + " " + text.substr(from);
  }
  const size_t length = columns(text);
  if (length <= width) return text;
  const size_t room = width - std::min(width, columns(gap) + 2);
  const size_t head = room * 2 / 5;
  const size_t tail = room - head;
  std::string_view end = std::string_view(text).substr(bytes_of(text, length - tail));
  if (end.starts_with(' ')) end.remove_prefix(1);
  std::string start = text.substr(0, bytes_of(text, head));
  if (start.ends_with(' ')) start.pop_back();
  return start + " " + gap + " " + std::string(end);
}

std::vector<std::string> wrap(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!line.empty() && columns(line) + 1 + columns(word) > width) {
      lines.push_back(std::move(line));
      line.clear();
    }
    if (!word.empty()) line += (line.empty() ? "" : " ") + std::string(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

std::string with_commas(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string count_of(uint64_t number, std::string_view one, std::string_view many) {
  return with_commas(number) + " " + std::string(number == 1 ? one : many);
}

std::string readable(Micros time) {
  const double ms = to_ms(time);
  if (ms < 10) return formatted("%.2f", ms, " ms");
  if (ms < 1000) return formatted("%.1f", ms, " ms");
  if (ms < 120'000) return formatted("%.2f", ms / 1000, " s");
  return formatted("%.1f", ms / 60'000, " min");
}

std::string readable_bytes(uint64_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (bytes < 1000) return std::to_string(bytes) + " B";
  if (size < 1e6) return formatted("%.1f", size / 1e3, " kB");
  if (size < 1e9) return formatted("%.1f", size / 1e6, " MB");
  return formatted("%.2f", size / 1e9, " GB");
}

}  // namespace ectoscope
