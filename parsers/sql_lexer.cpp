#include "parsers/sql_lexer.h"

#include <array>
#include <cstring>

namespace ectoscope {
namespace {

enum Class : uint8_t { kSpace = 1, kWordStart = 2, kDigit = 4, kOperatorChar = 8, kDollar = 16 };

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> table{};
  for (const char c : std::string_view(" \t\n\r\f\v\0", 7))
    table[static_cast<unsigned char>(c)] = kSpace;
  for (size_t c = 'a'; c <= 'z'; ++c)
    table[c] = table[c - 32] = kWordStart;
  for (size_t c = 128; c < 256; ++c)
    table[c] = kWordStart;
  table['_'] = kWordStart;
  for (size_t c = '0'; c <= '9'; ++c)
    table[c] = kDigit;
  for (const char c : std::string_view("~!@#^&|`?+-*/%<>=")) {
    table[static_cast<unsigned char>(c)] = kOperatorChar;
  }
  table['$'] = kDollar;
  return table;
}

constexpr std::array<uint8_t, 256> kClasses = make_classes();

bool is(char c, unsigned classes) {
  return (kClasses[static_cast<unsigned char>(c)] & classes) != 0;
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

SqlToken SqlLexer::next() {
  skip_space();
  if (at_ >= text_.size()) return {SqlTokenKind::kEnd, at_, at_, at_, at_};
  const char c = text_[at_];
  if (is(c, kWordStart)) return word();
  switch (c) {
    case '"':
      return quoted(at_, at_, SqlTokenKind::kQuotedName, false);
    case '\'':
      return quoted(at_, at_, SqlTokenKind::kString, false);
    case '$':
      return dollar();
    case '(':
      return single(SqlTokenKind::kOpen);
    case ')':
      return single(SqlTokenKind::kClose);
    case '[':
      return single(SqlTokenKind::kOpenSquare);
    case ']':
      return single(SqlTokenKind::kCloseSquare);
    case ',':
      return single(SqlTokenKind::kComma);
    case ';':
      return single(SqlTokenKind::kSemicolon);
    case '.':
      return is(at(at_ + 1), kDigit) ? number() : single(SqlTokenKind::kDot);
    case ':':
      if (at(at_ + 1) == ':') {
        at_ += 2;
        return {SqlTokenKind::kCast, at_ - 2, at_, at_ - 2, at_};
      }
      return single(SqlTokenKind::kOperator);
    default:
      break;
  }
  if (is(c, kDigit)) return number();
  if (starts_comment(at_)) return c == '-' ? line_comment() : block_comment();
  if (is(c, kOperatorChar)) return op();
  return single(SqlTokenKind::kOperator);  // a stray backslash, brace or control character
}

void SqlLexer::skip_space() {
  while (at_ < text_.size() && is(text_[at_], kSpace))
    ++at_;
}

SqlToken SqlLexer::single(SqlTokenKind kind) {
  ++at_;
  return {kind, at_ - 1, at_, at_ - 1, at_};
}

SqlToken SqlLexer::word() {
  const size_t begin = at_;
  const char first = text_[begin];
  const char second = at(begin + 1);
  if (second == '\'') {
    switch (first) {
      case 'e':
      case 'E':
        return quoted(begin, begin + 1, SqlTokenKind::kString, true);
      case 'n':
      case 'N':
        return quoted(begin, begin + 1, SqlTokenKind::kString, false);
      case 'b':
      case 'B':
      case 'x':
      case 'X':
        return quoted(begin, begin + 1, SqlTokenKind::kBitString, false);
      default:
        break;
    }
  }
  if (second == '&' && (first == 'u' || first == 'U')) {
    if (at(begin + 2) == '\'') return quoted(begin, begin + 2, SqlTokenKind::kString, false);
    if (at(begin + 2) == '"') return quoted(begin, begin + 2, SqlTokenKind::kQuotedName, false);
  }
  while (at_ < text_.size() && is(text_[at_], kWordStart | kDigit | kDollar))
    ++at_;
  return {SqlTokenKind::kWord, begin, at_, begin, at_};
}

// With the letters that touch it: PostgreSQL refuses "1ab", and they may be half of a value.
SqlToken SqlLexer::number() {
  const size_t begin = at_;
  const char base = at(begin + 1);
  if (text_[begin] == '0' && std::strchr("xXoObB", base) != nullptr && base != '\0' &&
      is_hex(at(begin + 2))) {
    at_ += 2;
  } else {
    decimal();
  }
  while (is(at(at_), kWordStart | kDigit))
    ++at_;
  return {SqlTokenKind::kNumber, begin, at_, begin, at_};
}

void SqlLexer::decimal() {
  const auto digits = [this] {
    while (is(at(at_), kDigit) || (at(at_) == '_' && is(at(at_ + 1), kDigit)))
      ++at_;
  };
  digits();
  if (at(at_) == '.' && at(at_ + 1) != '.') {
    ++at_;
    digits();
  }
  if (at(at_) == 'e' || at(at_) == 'E') {
    const size_t sign = at(at_ + 1) == '+' || at(at_ + 1) == '-' ? 1 : 0;
    if (is(at(at_ + 1 + sign), kDigit)) {
      at_ += 1 + sign;
      digits();
    }
  }
}

SqlToken SqlLexer::dollar() {
  const size_t begin = at_;
  if (is(at(begin + 1), kDigit)) {
    ++at_;
    while (is(at(at_), kDigit))
      ++at_;
    return {SqlTokenKind::kParameter, begin, at_, begin + 1, at_};
  }
  size_t mark_end = begin + 1;
  while (is(at(mark_end), kWordStart | kDigit))
    ++mark_end;
  if (at(mark_end) != '$') return single(SqlTokenKind::kOperator);
  ++mark_end;
  const std::string_view mark = text_.substr(begin, mark_end - begin);
  const size_t close = text_.find(mark, mark_end);
  const size_t value_end = close == std::string_view::npos ? text_.size() : close;
  at_ = close == std::string_view::npos ? text_.size() : close + mark.size();
  return {SqlTokenKind::kString, begin, at_, mark_end, value_end};
}

// From `quote` to the one that closes it; a doubled quote stands for itself.  A string goes on
// where only space with a line break stands between it and the next quote.
SqlToken SqlLexer::quoted(size_t begin, size_t quote, SqlTokenKind kind, bool backslashes) {
  const char mark = text_[quote];
  size_t i = quote + 1;
  for (;;) {
    if (backslashes) {
      while (i < text_.size() && text_[i] != mark)
        i += text_[i] == '\\' ? 2 : 1;
      if (i > text_.size()) i = text_.size();
    } else {
      const size_t found = text_.find(mark, i);
      i = found == std::string_view::npos ? text_.size() : found;
    }
    if (i >= text_.size()) break;  // no end
    if (at(i + 1) == mark) {
      i += 2;
      continue;
    }
    const size_t close = i;
    at_ = close + 1;
    if (kind == SqlTokenKind::kQuotedName) return {kind, begin, at_, quote + 1, close};
    skip_space();
    if (at(at_) != mark || text_.substr(close, at_ - close).find('\n') == std::string_view::npos) {
      at_ = close + 1;
      return {kind, begin, at_, quote + 1, close};
    }
    i = at_ + 1;
  }
  at_ = text_.size();
  return {kind, begin, at_, quote + 1, at_};
}

bool SqlLexer::starts_comment(size_t i) const {
  return (at(i) == '-' && at(i + 1) == '-') || (at(i) == '/' && at(i + 1) == '*');
}

SqlToken SqlLexer::op() {
  const size_t begin = at_;
  bool may_end_in_sign = false;
  size_t i = begin;
  while (is(at(i), kOperatorChar) && !starts_comment(i)) {
    if (std::strchr("~!@#%^&|`?", text_[i]) != nullptr) may_end_in_sign = true;
    ++i;
  }
  // PostgreSQL's rule: "=-" is two operators, "@-" is one.
  while (!may_end_in_sign && i - begin > 1 && (text_[i - 1] == '+' || text_[i - 1] == '-'))
    --i;
  at_ = i;
  return {SqlTokenKind::kOperator, begin, i, begin, i};
}

SqlToken SqlLexer::line_comment() {
  const size_t begin = at_;
  size_t end = text_.find_first_of("\r\n", begin);
  if (end == std::string_view::npos) end = text_.size();
  at_ = end;
  return {SqlTokenKind::kComment, begin, end, begin + 2, end};
}

SqlToken SqlLexer::block_comment() {
  const size_t begin = at_;
  size_t depth = 1;
  size_t i = begin + 2;
  while (depth > 0) {
    i = text_.find_first_of("/*", i);
    if (i == std::string_view::npos || i + 1 >= text_.size()) {
      at_ = text_.size();
      return {SqlTokenKind::kComment, begin, at_, begin + 2, at_};
    }
    if (text_[i] == '/' && text_[i + 1] == '*') {
      ++depth;
      i += 2;
    } else if (text_[i] == '*' && text_[i + 1] == '/') {
      --depth;
      i += 2;
    } else {
      ++i;
    }
  }
  at_ = i;
  return {SqlTokenKind::kComment, begin, i, begin + 2, i - 2};
}

}  // namespace ectoscope
