#include "outputs/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace ectoscope {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

template <typename T>
void write_number(std::ostream& out, T number) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  out.write(buffer.data(), end - buffer.data());
}

// Text without a width to fill: operator<< would ask for it each time.
void write_plain(std::ostream& out, std::string_view text) {
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

// A quote, a backslash or a control character.
void write_escaped(std::ostream& out, char c) {
  const auto number = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    out << '\\' << c;
  } else if (c == '\n') {
    out << "\\n";
  } else if (c == '\t') {
    out << "\\t";
  } else {
    out << "\\u00" << kHex[number >> 4U] << kHex[number & 0xFU];
  }
}

}  // namespace

size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto at = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || first > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0U) != 0x80) return 0;
  }
  const unsigned second = at(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
      (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return length;
}

void JsonWriter::key(std::string_view name) {
  separate();
  text(name);
  out_ << ": ";
  after_key_ = true;
}

void JsonWriter::value(std::string_view raw) {
  separate();
  text(raw);
}

/// Nothing is measured to more than six decimals: 0.9499999999999998 is 0.95.
void JsonWriter::value(double number) {
  if (!std::isfinite(number)) {
    null();
    return;
  }
  constexpr double kDecimals = 1e6;
  constexpr double kExact = 1e9;  // above, the product may lose whole digits
  if (std::abs(number) < kExact) number = std::round(number * kDecimals) / kDecimals;
  separate();
  write_number(out_, number == 0 ? 0.0 : number);  // -0 is 0
}

void JsonWriter::value(uint64_t number) {
  separate();
  write_number(out_, number);
}

void JsonWriter::value(int64_t number) {
  separate();
  write_number(out_, number);
}

void JsonWriter::value(bool flag) {
  separate();
  out_ << (flag ? "true" : "false");
}

void JsonWriter::null() {
  separate();
  out_ << "null";
}

void JsonWriter::begin(char bracket, Layout layout) {
  separate();
  out_ << bracket;
  const bool inherit = !levels_.empty() && levels_.back().layout == Layout::kInline;
  levels_.push_back({inherit ? Layout::kInline : layout, true});
}

void JsonWriter::end(char bracket) {
  const Level level = levels_.back();
  levels_.pop_back();
  if (!level.empty && level.layout == Layout::kLines) new_line();
  out_ << bracket;
  if (levels_.empty()) out_ << '\n';
}

void JsonWriter::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (levels_.empty()) return;
  Level& level = levels_.back();
  if (!level.empty) out_ << ',';
  if (level.layout == Layout::kLines) {
    new_line();
  } else if (!level.empty) {
    out_ << ' ';
  }
  level.empty = false;
}

void JsonWriter::new_line() {
  out_ << '\n' << std::string(levels_.size() * 2, ' ');
}

void JsonWriter::text(std::string_view raw) {
  out_ << '"';
  size_t plain = 0;  // bytes at the front that go out as they are, together
  while (plain < raw.size()) {
    const auto c = static_cast<unsigned char>(raw[plain]);
    if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') {
      ++plain;
      continue;
    }
    const size_t length = utf8_length(raw.substr(plain));
    if (length > 1) {
      plain += length;
      continue;
    }
    write_plain(out_, raw.substr(0, plain));
    length == 0 ? write_plain(out_, "\xEF\xBF\xBD") : write_escaped(out_, raw[plain]);
    raw.remove_prefix(plain + 1);
    plain = 0;
  }
  write_plain(out_, raw);
  out_ << '"';
}

}  // namespace ectoscope
