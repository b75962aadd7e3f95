#include "advice/statement_text.h"

#include <algorithm>
#include <cstddef>

namespace ectoscope {
namespace {

enum class TokenKind { kWord, kQuoted, kOther };  // kOther: one character

struct Token {
  TokenKind kind = TokenKind::kOther;
  std::string text;  // a word in lower case, a quoted name without its quotes

  [[nodiscard]] bool is(std::string_view word) const {
    return kind != TokenKind::kQuoted && text == word;
  }
  [[nodiscard]] bool names() const { return kind != TokenKind::kOther; }
};

bool word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r') {
      ++at;
      continue;
    }
    Token token;
    if (text[at] == '"') {
      token.kind = TokenKind::kQuoted;
      const size_t end = std::min(text.find('"', at + 1), text.size());
      token.text = text.substr(at + 1, end - at - 1);
      at = end + 1;
    } else if (word_char(text[at])) {
      token.kind = TokenKind::kWord;
      for (; at < text.size() && word_char(text[at]); ++at)
        token.text += lower(text[at]);
    } else {
      token.text = text[at++];
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

/// For each token how many brackets it stands in.
std::vector<int> depths_of(const std::vector<Token>& tokens) {
  std::vector<int> depths;
  int depth = 0;
  for (const Token& token : tokens) {
    if (token.is(")")) --depth;
    depths.push_back(depth);
    if (token.is("(")) ++depth;
  }
  return depths;
}

bool ends_order(const Token& token) {
  return token.is("limit") || token.is("offset") || token.is("fetch") || token.is("for");
}

/// Tokens [from, to) are one column of ORDER BY.
NullsAt nulls_of(const std::vector<Token>& tokens, size_t from, size_t to) {
  if (to < from + 2 || !tokens[to - 2].is("nulls")) return NullsAt::kDefault;
  return tokens[to - 1].is("first") ? NullsAt::kFirst : NullsAt::kLast;
}

/// Whether all that the select list has are columns with their table, and functions of such.
bool selects_as_ecto(const std::vector<Token>& tokens, const std::vector<int>& depths) {
  if (tokens.empty() || !tokens[0].is("select")) return false;
  for (size_t i = 1; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (depths[i] == 0 && token.is("from")) return true;
    const bool after_dot = tokens[i - 1].is(".");
    const Token* next = i + 1 < tokens.size() ? &tokens[i + 1] : nullptr;
    if (!token.names() || after_dot || token.is("distinct") || token.is("as")) continue;
    if (tokens[i - 1].is("as")) continue;
    if (next == nullptr || !(next->is(".") || next->is("("))) return false;
  }
  return false;
}

}  // namespace

std::vector<NullsAt> nulls_of_order(std::string_view text) {
  const std::vector<Token> tokens = tokens_of(text);
  const std::vector<int> depths = depths_of(tokens);
  std::vector<NullsAt> nulls;
  size_t begin = tokens.size();
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (depths[i] == 0 && tokens[i].is("order") && tokens[i + 1].is("by")) begin = i + 2;
  }
  for (size_t i = begin; i < tokens.size(); ++i) {
    if (depths[i] != 0) continue;
    const bool last = i + 1 == tokens.size() || (depths[i + 1] == 0 && ends_order(tokens[i + 1]));
    if (!last && !tokens[i].is(",")) continue;
    const size_t end = last ? i + 1 : i;
    nulls.push_back(nulls_of(tokens, begin, end));
    begin = end + 1;
    if (last) break;
  }
  return nulls;
}

std::optional<std::set<std::string>> columns_read(std::string_view text, std::string_view alias) {
  const std::vector<Token> tokens = tokens_of(text);
  if (!selects_as_ecto(tokens, depths_of(tokens))) return std::nullopt;
  std::set<std::string> columns;
  for (size_t i = 1; i < tokens.size(); ++i) {
    const Token& before = tokens[i - 1];
    // Of "*" only count(*) reads nothing.
    if (tokens[i].is("*") && !(before.is("(") && i >= 2 && tokens[i - 2].is("count"))) {
      return std::nullopt;
    }
    if (!tokens[i].names() || tokens[i].text != alias || before.is(".")) continue;
    const bool qualifies = i + 2 < tokens.size() && tokens[i + 1].is(".");
    if (qualifies && tokens[i + 2].names()) {
      columns.insert(tokens[i + 2].text);
    } else if (!before.is("as")) {
      return std::nullopt;  // the row as a whole
    }
  }
  return columns;
}

}  // namespace ectoscope
