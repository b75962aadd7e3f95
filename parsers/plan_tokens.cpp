#include "parsers/plan_tokens.h"

#include <algorithm>

namespace ectoscope {
namespace {

using Kind = PlanTokenKind;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_operator(char c) {
  return std::string_view("+-*/<>=~!@#%^&|`?:").find(c) != std::string_view::npos;
}

/// The end of what begins with the quote at `from`; npos when it has none.
size_t quoted_end(std::string_view text, size_t from, bool backslashes) {
  const char quote = text[from];
  for (size_t i = from + 1; i < text.size(); ++i) {
    if (backslashes && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (i + 1 < text.size() && text[i + 1] == quote) {
        ++i;
      } else {
        return i + 1;
      }
    }
  }
  return std::string_view::npos;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  /// False at the end.
  bool next(PlanToken& token) {
    while (at_ < text_.size() && is_space(text_[at_]))
      ++at_;
    if (at_ == text_.size()) return false;
    token = {};
    const size_t from = at_;
    read(token);
    token.text = text_.substr(from, at_ - from);
    return true;
  }

 private:
  void read(PlanToken& token) {
    const char c = text_[at_];
    if (c == '\'' || c == '"') return quoted(token, c == '"' ? Kind::kName : Kind::kString, false);
    if (begins_name(c)) return name(token);
    if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) {
      token.kind = Kind::kNumber;
      return take_while([](char d) { return is_digit(d) || d == '.' || d == 'e' || d == 'E'; });
    }
    if (c == '$') {
      ++at_;
      token.kind = Kind::kParameter;
      return take_while(is_digit);
    }
    if (text_.substr(at_).starts_with("::")) {
      token.kind = Kind::kCast;
      at_ += 2;
      return;
    }
    if (is_operator(c)) {
      token.kind = Kind::kOperator;
      return take_while([](char d) { return is_operator(d); });
    }
    token.kind = c == '(' || c == '['   ? Kind::kOpen
                 : c == ')' || c == ']' ? Kind::kClose
                 : c == ','             ? Kind::kComma
                 : c == '.'             ? Kind::kDot
                                        : Kind::kOperator;
    ++at_;
  }

  // `E'...'`, `B'...'`: a letter straight before a quote belongs to it.
  void name(PlanToken& token) {
    token.kind = Kind::kName;
    if (at_ + 1 < text_.size() && text_[at_ + 1] == '\'') {
      const bool backslashes = text_[at_] == 'E' || text_[at_] == 'e';
      ++at_;
      return quoted(token, Kind::kString, backslashes);
    }
    take_while([](char c) { return begins_name(c) || is_digit(c) || c == '$'; });
  }

  void quoted(PlanToken& token, Kind kind, bool backslashes) {
    token.kind = kind;
    const size_t end = quoted_end(text_, at_, backslashes);
    token.closed = end != std::string_view::npos;
    at_ = token.closed ? end : text_.size();
  }

  template <typename Predicate>
  void take_while(Predicate wanted) {
    while (at_ < text_.size() && wanted(text_[at_]))
      ++at_;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::vector<PlanToken> plan_tokens(std::string_view text, size_t limit, bool* whole) {
  std::vector<PlanToken> tokens;
  std::vector<uint32_t> open;
  Lexer lexer(text);
  PlanToken token;
  *whole = true;
  while (lexer.next(token)) {
    if (tokens.size() == limit) {
      *whole = false;
      break;
    }
    const auto index = static_cast<uint32_t>(tokens.size());
    token.partner = index;
    if (!token.closed) *whole = false;
    if (token.kind == Kind::kOpen) {
      open.push_back(index);
    } else if (token.kind == Kind::kClose) {
      if (open.empty()) {
        *whole = false;
      } else {
        token.partner = open.back();
        tokens[open.back()].partner = index;
        open.pop_back();
      }
    }
    tokens.push_back(token);
  }
  if (!open.empty()) *whole = false;
  return tokens;
}

std::string plain_name(const PlanToken& token) {
  std::string_view text = token.text;
  if (!text.starts_with('"')) return std::string(text);
  text.remove_prefix(1);
  if (text.ends_with('"')) text.remove_suffix(1);
  std::string name;
  for (size_t i = 0; i < text.size(); ++i) {
    name.push_back(text[i]);
    if (text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"') ++i;
  }
  return name;
}

}  // namespace ectoscope
