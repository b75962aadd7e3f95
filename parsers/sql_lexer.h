// SQL text to tokens, as PostgreSQL's own scanner cuts them (standard_conforming_strings on).
//
// It never fails: a string, a quoted name or a comment without an end runs to the end of the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ectoscope {

enum class SqlTokenKind : uint8_t {
  kEnd,
  kWord,        // unquoted name or keyword
  kQuotedName,  // "..." and U&"..."
  kNumber,
  kString,     // '..', E'..', N'..', U&'..', $tag$..$tag$; continued over lines it is one token
  kBitString,  // B'..', X'..'
  kParameter,  // $1
  kOperator,   // also ':' and ':='
  kCast,       // ::
  kOpen,
  kClose,
  kOpenSquare,
  kCloseSquare,
  kComma,
  kSemicolon,
  kDot,
  kComment  // -- to the end of its line, and /* */ with nesting
};

struct SqlToken {
  SqlTokenKind kind = SqlTokenKind::kEnd;
  size_t begin = 0;
  size_t end = 0;
  size_t value_begin = 0;  // strings, quoted names and comments: without their marks
  size_t value_end = 0;
};

/// Threads: one at a time.  `text` must outlive it.  Cost: linear in the text.
class SqlLexer {
 public:
  explicit SqlLexer(std::string_view text) : text_(text) {}

  /// The next token, comments too; kEnd at the end, again and again.
  SqlToken next();

 private:
  [[nodiscard]] char at(size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  void skip_space();
  SqlToken word();
  SqlToken number();
  void decimal();
  SqlToken dollar();
  SqlToken op();
  SqlToken line_comment();
  SqlToken block_comment();
  SqlToken quoted(size_t begin, size_t quote, SqlTokenKind kind, bool backslashes);
  SqlToken single(SqlTokenKind kind);
  [[nodiscard]] bool starts_comment(size_t i) const;

  std::string_view text_;
  size_t at_ = 0;
};

/// May stand in an unquoted name after its first character.
inline bool is_sql_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 128;
}

}  // namespace ectoscope
