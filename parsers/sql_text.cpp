#include "parsers/sql_text.h"

#define XXH_INLINE_ALL
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <xxhash.h>

namespace ectoscope {
namespace {

constexpr size_t kMaxText = 8192;

// What walks a skeleton's tokens and writes them with usual spacing; the two renderings differ in
// how they write words and values.
class Renderer {
 public:
  explicit Renderer(const SqlSkeleton& skeleton) : skeleton_(skeleton), lexer_(skeleton.text) {}
  virtual ~Renderer() = default;

  std::string run() {
    for (token_ = lexer_.next(); token_.kind != SqlTokenKind::kEnd; token_ = lexer_.next()) {
      if (out_.size() > kMaxText) break;
      if (in_further_rows()) continue;
      write_token();
    }
    return std::move(out_);
  }

 protected:
  virtual void write_value(size_t literal) = 0;  // npos: a parameter
  virtual void write_word(std::string_view word, SqlWord known) = 0;
  virtual void write_name(std::string_view name) = 0;
  virtual void write_operator(std::string_view op) { out_ += op; }

  [[nodiscard]] std::string_view text_of(const SqlToken& token) const {
    return std::string_view(skeleton_.text).substr(token.begin, token.end - token.begin);
  }
  [[nodiscard]] bool dot_follows() const {
    return token_.end < skeleton_.text.size() && skeleton_.text[token_.end] == '.';
  }
  [[nodiscard]] bool after_dot() const { return last_ == SqlTokenKind::kDot; }

  static constexpr size_t kNone = std::string::npos;
  const SqlSkeleton& skeleton_;
  std::string out_;
  SqlToken token_;

 private:
  bool in_further_rows() {
    while (row_ < skeleton_.further_rows.size() &&
           skeleton_.further_rows[row_].end <= token_.begin) {
      ++row_;
    }
    if (row_ >= skeleton_.further_rows.size()) return false;
    const SqlSpan& rows = skeleton_.further_rows[row_];
    if (token_.begin < rows.begin || token_.begin >= rows.end) return false;
    if (token_.begin == rows.begin) out_ += ", ...";
    last_ = SqlTokenKind::kClose;
    return true;
  }

  [[nodiscard]] bool space_before_open() const {
    switch (last_) {
      case SqlTokenKind::kWord:
        return last_word_.is(SqlWord::kSpaceBefore) || name_of_relation_ || combines_;
      case SqlTokenKind::kQuotedName:
        return name_of_relation_;
      default:
        return true;
    }
  }

  [[nodiscard]] bool space_before(SqlTokenKind kind) const {
    if (out_.empty()) return false;
    switch (last_) {
      case SqlTokenKind::kOpen:
      case SqlTokenKind::kOpenSquare:
      case SqlTokenKind::kDot:
      case SqlTokenKind::kCast:
        return false;
      default:
        break;
    }
    switch (kind) {
      case SqlTokenKind::kClose:
      case SqlTokenKind::kCloseSquare:
      case SqlTokenKind::kOpenSquare:
      case SqlTokenKind::kComma:
      case SqlTokenKind::kSemicolon:
      case SqlTokenKind::kDot:
      case SqlTokenKind::kCast:
        return false;
      case SqlTokenKind::kOpen:
        return space_before_open();
      default:
        return true;
    }
  }

  void write_token() {
    if (space_before(token_.kind)) out_ += ' ';
    std::string_view text = text_of(token_);
    SqlWord known;
    switch (token_.kind) {
      case SqlTokenKind::kNumber:
      case SqlTokenKind::kString:
      case SqlTokenKind::kBitString:
        write_literal(text);
        break;
      case SqlTokenKind::kParameter:
        write_value(kNone);
        break;
      case SqlTokenKind::kWord:
        word_.clear();
        append_lower(text, word_);
        text = word_;
        known = SqlWord::of(text);
        write_word(text, known);
        break;
      case SqlTokenKind::kQuotedName:
        write_name(text);
        break;
      case SqlTokenKind::kOperator:
        write_operator(text);
        break;
      default:
        out_ += text;
        break;
    }
    note_relation(text, known);
    combines_ = last_word_.is(SqlWord::kCombines);  // UNION ALL (
    last_ = token_.kind;
    last_word_ = known;
  }

  // A relation's name keeps its columns at a distance, a function's name its arguments close.
  void note_relation(std::string_view text, SqlWord known) {
    if (token_.kind == SqlTokenKind::kWord && known.is(SqlWord::kKeyword)) {
      const bool if_not_exists =
          name_of_relation_ && (text == "if" || text == "not" || text == "exists");
      name_of_relation_ = if_not_exists || text == "into" || text == "table" ||
                          text == "references" || (text == "on" && creates_);
      creates_ = creates_ || text == "create";
    } else if (token_.kind != SqlTokenKind::kWord && token_.kind != SqlTokenKind::kQuotedName &&
               token_.kind != SqlTokenKind::kDot) {
      name_of_relation_ = false;
    }
  }

  void write_literal(std::string_view text) {
    while (literal_ < skeleton_.literals.size() && skeleton_.literals[literal_].at < token_.begin)
      ++literal_;
    if (literal_ < skeleton_.literals.size() && skeleton_.literals[literal_].at == token_.begin) {
      write_value(literal_);
    } else {
      out_ += text;  // varchar(255)
    }
  }

  SqlLexer lexer_;
  std::string word_;  // the token's, in lower case
  SqlTokenKind last_ = SqlTokenKind::kEnd;
  SqlWord last_word_;
  bool name_of_relation_ = false;
  bool creates_ = false;
  bool combines_ = false;
  size_t row_ = 0;
  size_t literal_ = 0;
};

class Shown final : public Renderer {
 public:
  using Renderer::Renderer;

 private:
  void write_value(size_t literal) override {
    if (literal == kNone) {
      out_ += text_of(token_);
    } else {
      out_ += '$' + std::to_string(skeleton_.parameters + 1 + literal);
    }
  }
  void write_word(std::string_view word, SqlWord known) override {
    const size_t at = out_.size();
    out_ += word;
    if (!known.is(SqlWord::kKeyword) || after_dot() || dot_follows()) return;
    for (size_t i = at; i < out_.size(); ++i) {
      if (out_[i] >= 'a' && out_[i] <= 'z') out_[i] = static_cast<char>(out_[i] - 32);
    }
  }
  void write_name(std::string_view name) override { out_ += name; }
};

class Canonical final : public Renderer {
 public:
  Canonical(const SqlSkeleton& skeleton, const SqlAliases& aliases)
      : Renderer(skeleton), aliases_(aliases) {}

 private:
  void write_value(size_t /*literal*/) override { out_ += '?'; }
  void write_word(std::string_view word, SqlWord known) override {
    if (known.is(SqlWord::kKeyword) || !write_alias(word)) out_ += word;
  }
  void write_name(std::string_view name) override {
    const std::string_view inner = name.substr(1, name.size() - 2);
    if (!plain(name, inner)) {
      out_ += name;
    } else if (!write_alias(inner)) {
      out_ += inner;
    }
  }
  void write_operator(std::string_view op) override { out_ += op == "!=" ? "<>" : op; }

  bool write_alias(std::string_view name) {
    if (after_dot() || !aliases_.names.contains(name)) return false;
    if (aliases_.tables.contains(static_cast<uint32_t>(token_.begin))) return false;
    const auto [found, added] = numbers_.try_emplace(std::string(name), numbers_.size() + 1);
    out_ += 't' + std::to_string(found->second);
    return true;
  }

  // The same name with and without quotes.
  static bool plain(std::string_view quoted, std::string_view inner) {
    if (quoted.front() != '"' || inner.empty() || (inner[0] >= '0' && inner[0] <= '9'))
      return false;
    for (const char c : inner) {
      const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
      if (!fits) return false;
    }
    return !SqlWord::of(inner).is(SqlWord::kKeyword);
  }

  const SqlAliases& aliases_;
  std::map<std::string, size_t, std::less<>> numbers_;
};

void cut(std::string& text, size_t size) {
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U)
    --size;
  text.resize(size);
}

// Bytes of the UTF-8 character at `i`; 0 when it is none.
size_t utf8_length(std::string_view text, size_t i) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(i);
  const size_t length = first < 0x80   ? 1
                        : first < 0xC2 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (length == 0 || i + length > text.size()) return 0;
  for (size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0U) != 0x80U) return 0;
  }
  if (first == 0xE0 && byte(i + 1) < 0xA0) return 0;
  if (first == 0xED && byte(i + 1) > 0x9F) return 0;  // surrogates
  if (first == 0xF0 && byte(i + 1) < 0x90) return 0;
  if (first == 0xF4 && byte(i + 1) > 0x8F) return 0;
  return length;
}

}  // namespace

std::string show_sql(const SqlSkeleton& skeleton) {
  std::string text = Shown(skeleton).run();
  if (text.size() > kMaxText) {
    cut(text, kMaxText - 4);
    text += " ...";
  }
  return text;
}

std::string canonical_sql(const SqlSkeleton& skeleton, const SqlAliases& aliases) {
  std::string text = Canonical(skeleton, aliases).run();
  if (text.size() > kMaxText) {
    const std::string suffix = hash_suffix(skeleton.text);
    cut(text, kMaxText - suffix.size());
    text += suffix;
  }
  return text;
}

std::string hash_suffix(std::string_view text) {
  std::array<char, 24> out{};
  std::snprintf(out.data(), out.size(), " ...%016llx",
                static_cast<unsigned long long>(XXH3_64bits(text.data(), text.size())));
  return out.data();
}

SqlAliases guess_aliases(const SqlSkeleton& skeleton) {
  SqlAliases aliases;
  const auto text = std::string_view(skeleton.text).substr(0, kMaxText);
  SqlLexer lexer(text);
  std::string before;
  for (SqlToken token = lexer.next(); token.kind != SqlTokenKind::kEnd; token = lexer.next()) {
    std::string word;
    append_lower(text.substr(token.begin, token.end - token.begin), word);
    if (token.kind == SqlTokenKind::kWord && !SqlWord::of(word).is(SqlWord::kKeyword)) {
      const bool numbered = word.back() >= '0' && word.back() <= '9';
      const bool qualifies = token.end < text.size() && text[token.end] == '.';
      if (numbered && (before == "as" || qualifies)) aliases.names.insert(word);
    }
    if (before == "from" || before == "join" || before == "into" || before == "update") {
      aliases.tables.insert(static_cast<uint32_t>(token.begin));
    }
    before = std::move(word);
  }
  return aliases;
}

void make_printable(std::string& text) {
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text, i);
    if (length == 0) {
      text[i++] = '_';
    } else if (length == 1) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (c < 0x20 || c == 0x7F) text[i] = ' ';
      ++i;
    } else {
      i += length;
    }
  }
}

}  // namespace ectoscope
