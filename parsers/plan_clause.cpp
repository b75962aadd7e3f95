#include "parsers/plan_clause.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

#include "parsers/plan_tokens.h"

namespace ectoscope {
namespace {

using Kind = PlanTokenKind;
using Tokens = std::span<const PlanToken>;

constexpr size_t kMaxTokens = 4096;
constexpr size_t kMaxDepth = 60;  // of brackets that are looked into

// PostgreSQL prints constants in capitals only behind IS; `true` alone is a value.
bool is_constant_word(const PlanToken& token) {
  return token.kind == Kind::kName && (token.text == "true" || token.text == "false");
}

bool is_literal(const PlanToken& token) {
  return token.kind == Kind::kString || token.kind == Kind::kNumber || is_constant_word(token);
}

bool counts_subplan(const PlanToken& token) {
  return is_word(token, "SubPlan") || is_word(token, "InitPlan");
}

/// As written, but for values; blanks where names or operators would run together.
std::string normal_text(Tokens tokens, bool whole, size_t room) {
  std::string out;
  for (size_t i = 0; i < tokens.size() && out.size() < room; ++i) {
    const PlanToken& token = tokens[i];
    if (i > 0) {
      const char* end = tokens[i - 1].text.data() + tokens[i - 1].text.size();
      if (end != token.text.data()) out.push_back(' ');
    }
    const bool numbers_subplan =
        token.kind == Kind::kNumber && i > 0 && counts_subplan(tokens[i - 1]);
    if (is_literal(token) && !numbers_subplan) {
      out.push_back('?');
    } else if (!token.closed) {
      break;  // a quoted name without an end may hide anything
    } else {
      out += token.text;
    }
  }
  if (out.size() > room) out.resize(room);
  if (!whole) out += " ...";
  return out;
}

PlanPattern pattern_of(std::string_view literal) {
  const size_t open = literal.find('\'');
  if (open == std::string_view::npos) return PlanPattern::kUnknown;
  literal.remove_prefix(open + 1);
  if (literal.ends_with('\'')) literal.remove_suffix(1);
  if (literal.empty()) return PlanPattern::kExact;
  if (literal[0] == '%' || literal[0] == '_') return PlanPattern::kLeading;
  for (size_t i = 0; i < literal.size(); ++i) {
    if (literal[i] == '\\') {
      ++i;
    } else if (literal[i] == '%' || literal[i] == '_') {
      return PlanPattern::kPrefix;
    }
  }
  return PlanPattern::kExact;
}

PlanPattern regex_pattern_of(std::string_view literal) {
  const size_t open = literal.find('\'');
  if (open == std::string_view::npos) return PlanPattern::kUnknown;
  return literal.substr(open + 1).starts_with('^') ? PlanPattern::kPrefix : PlanPattern::kLeading;
}

bool is_like(std::string_view op) {
  return op == "~~" || op == "~~*" || op == "!~~" || op == "!~~*";
}

bool is_regex(std::string_view op) {
  return op == "~" || op == "~*";
}

std::string flipped(std::string_view op) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kPairs = {
      {{"<", ">"}, {">", "<"}, {"<=", ">="}, {">=", "<="}, {"@>", "<@"}, {"<@", "@>"}}};
  for (const auto& [from, to] : kPairs) {
    if (op == from) return std::string(to);
  }
  return std::string(op);
}

/// One side of a comparison.
struct Side {
  std::string qualifier;
  std::string column;
  std::string cast_to;
  bool function = false;
  bool literal = false;
  bool parameter = false;
  std::string_view literal_text;

  [[nodiscard]] PlanOperand operand() const {
    if (!column.empty()) return PlanOperand::kColumn;
    if (function) return PlanOperand::kExpression;
    if (parameter) return PlanOperand::kParameter;
    return literal ? PlanOperand::kLiteral : PlanOperand::kExpression;
  }
};

/// "a", `t.a`, `s.t.a`: the last name is the column's.  Returns how many tokens that is.
size_t read_column(Tokens tokens, Side& side) {
  size_t used = 1;
  while (used + 1 < tokens.size() && tokens[used].kind == Kind::kDot &&
         tokens[used + 1].kind == Kind::kName) {
    used += 2;
  }
  side.column = plain_name(tokens[used - 1]);
  if (used >= 3) side.qualifier = plain_name(tokens[used - 3]);
  return used;
}

/// The type behind "::", with words and brackets: "timestamp without time zone", "bigint[]".
size_t type_length(Tokens tokens) {
  size_t used = 0;
  while (used < tokens.size() &&
         (tokens[used].kind == Kind::kName || tokens[used].kind == Kind::kDot)) {
    ++used;
  }
  while (used < tokens.size() && tokens[used].kind == Kind::kOpen) {
    size_t close = used;
    while (close < tokens.size() && tokens[close].kind != Kind::kClose)
      ++close;
    used = std::min(close + 1, tokens.size());
  }
  return used;
}

class ClauseReader {
 public:
  ClauseReader(Tokens all, PlanClause& clause) : all_(all), clause_(clause) {}

  void read() { conjunction(all_, 0); }

 private:
  /// Index of the token behind what opens at `at`, within `tokens`.
  [[nodiscard]] size_t behind(Tokens tokens, size_t at) const {
    const size_t base = static_cast<size_t>(tokens.data() - all_.data());
    const size_t partner = tokens[at].partner;
    if (tokens[at].kind != Kind::kOpen || partner < base + at) return at + 1;
    return std::min(partner - base + 1, tokens.size());
  }

  [[nodiscard]] Tokens bare(Tokens tokens) const {
    while (tokens.size() >= 2 && tokens[0].kind == Kind::kOpen &&
           behind(tokens, 0) == tokens.size()) {
      tokens = tokens.subspan(1, tokens.size() - 2);
    }
    return tokens;
  }

  /// The first token outside brackets for which `wanted` holds; tokens.size() without one.
  template <typename Wanted>
  [[nodiscard]] size_t find(Tokens tokens, Wanted wanted) const {
    for (size_t i = 0; i < tokens.size(); i = behind(tokens, i)) {
      if (wanted(tokens[i])) return i;
    }
    return tokens.size();
  }

  void conjunction(Tokens tokens, size_t depth) {
    tokens = bare(tokens);
    if (tokens.empty() || depth > kMaxDepth) return;
    if (is_word(tokens[0], "CASE")) return;
    if (find(tokens, [](const PlanToken& t) { return is_word(t, "OR"); }) < tokens.size()) {
      if (!std::exchange(clause_.disjunction, true)) alternatives(tokens);
      return;
    }
    const size_t end = find(tokens, [](const PlanToken& t) { return is_word(t, "AND"); });
    if (end == tokens.size()) return comparison(tokens);
    conjunction(tokens.first(end), depth + 1);
    // All parts of one AND are siblings: a loop, not recursion, for those after the first.
    Tokens rest = tokens.subspan(end + 1);
    while (!rest.empty()) {
      const size_t next = find(rest, [](const PlanToken& t) { return is_word(t, "AND"); });
      conjunction(rest.first(next), depth + 1);
      rest = rest.subspan(std::min(next + 1, rest.size()));
    }
  }

  void alternatives(Tokens tokens) {
    auto& conditions = clause_.conditions;
    const size_t before = conditions.size();
    size_t arms = 0;
    while (!tokens.empty()) {
      const size_t end = find(tokens, [](const PlanToken& t) { return is_word(t, "OR"); });
      const Tokens arm = bare(tokens.first(end));
      const bool one = find(arm, [](const PlanToken& t) {
                         return is_word(t, "AND") || is_word(t, "OR") || is_word(t, "CASE");
                       }) == arm.size();
      if (one && !arm.empty()) comparison(arm);
      ++arms;
      if (conditions.size() != before + arms) break;
      tokens = tokens.subspan(std::min(end + 1, tokens.size()));
    }
    const auto first = conditions.begin() + static_cast<std::ptrdiff_t>(before);
    if (conditions.size() == before + arms) clause_.alternatives.assign(first, conditions.end());
    conditions.erase(first, conditions.end());
  }

  void comparison(Tokens tokens) {
    if (is_word(tokens[0], "NOT")) return negation(tokens.subspan(1));
    const size_t is = find(tokens, [](const PlanToken& t) { return is_word(t, "IS"); });
    if (is < tokens.size()) return test(tokens, is);
    const size_t op = find(tokens, [](const PlanToken& t) { return t.kind == Kind::kOperator; });
    if (op == tokens.size()) {
      const Side side = read_side(tokens);
      if (!side.column.empty()) add(side, tokens, "IS TRUE", nullptr);
      return;
    }
    if (op == 0) return;
    compare(tokens.first(op), tokens[op].text, tokens.subspan(op + 1));
  }

  void negation(Tokens tokens) {
    const Side side = read_side(bare(tokens));
    if (!side.column.empty() && !side.function) add(side, bare(tokens), "IS NOT TRUE", nullptr);
  }

  void test(Tokens tokens, size_t is) {
    std::string op = "IS";
    for (size_t i = is + 1; i < tokens.size(); ++i) {
      if (is_word(tokens[i], "DISTINCT")) {  // IS [NOT] DISTINCT FROM
        if (i + 2 >= tokens.size()) return;
        return compare(tokens.first(is), op == "IS" ? "IS DISTINCT FROM" : "IS NOT DISTINCT FROM",
                       tokens.subspan(i + 2));
      }
      op += " ";
      op += tokens[i].text.substr(0, 10);
    }
    const Side side = read_side(tokens.first(is));
    if (!side.column.empty()) add(side, tokens.first(is), op, nullptr);
  }

  void compare(Tokens left, std::string_view op, Tokens right) {
    bool list = false;
    if (!right.empty() && (is_word(right[0], "ANY") || is_word(right[0], "ALL"))) {
      list = true;
      right = right.subspan(1);
    }
    const Side a = read_side(left);
    const Side b = read_side(right);
    if (!a.column.empty()) add(a, left, std::string(op), &b).list = list;
    if (b.column.empty()) return;
    const bool member = list && op == "=" && a.column.empty() && !b.function;
    if (member) add(b, right, "= ANY", &a);
    if (!list) add(b, right, flipped(op), &a);
  }

  /// Takes casts, brackets and COLLATE off; what is left is a column, a value or an expression.
  [[nodiscard]] Side read_side(Tokens tokens) const {
    Side side;
    for (size_t depth = 0; depth < kMaxDepth; ++depth) {
      tokens = bare(tokens);
      const size_t cast = last_cast(tokens);
      if (cast < tokens.size()) {
        if (side.cast_to.empty()) side.cast_to = type_text(tokens.subspan(cast + 1));
        tokens = tokens.first(cast);
        continue;
      }
      const size_t collate = find(tokens, [](const PlanToken& t) { return is_word(t, "COLLATE"); });
      if (collate == 0 || collate == tokens.size()) break;
      tokens = tokens.first(collate);
    }
    read_core(tokens, side);
    return side;
  }

  void read_core(Tokens tokens, Side& side) const {
    if (tokens.empty()) return;
    const PlanToken& first = tokens[0];
    if (tokens.size() == 1 && is_literal(first)) {
      side.literal = true;
      side.literal_text = first.text;
      return;
    }
    if (tokens.size() == 1 && first.kind == Kind::kParameter) {
      side.parameter = true;
      return;
    }
    // A row comparison is bounded by its first column.
    if (is_word(first, "ROW") && tokens.size() > 2 && behind(tokens, 1) == tokens.size()) {
      const Tokens inside = tokens.subspan(2, tokens.size() - 3);
      const size_t comma = find(inside, [](const PlanToken& t) { return t.kind == Kind::kComma; });
      return read_core(bare(inside.first(comma)), side);
    }
    if (names_column(tokens, 0)) {
      Side column = side;
      if (read_column(tokens, column) == tokens.size()) {
        side = column;
        return;
      }
    }
    read_expression(tokens, side);
  }

  /// The first column anywhere inside.
  void read_expression(Tokens tokens, Side& side) const {
    side.function = true;
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].kind == Kind::kParameter) side.parameter = true;
      if (tokens[i].kind == Kind::kCast) {
        i += type_length(tokens.subspan(i + 1));
        continue;
      }
      if (is_word(tokens[i], "EXTRACT")) {  // EXTRACT(hour FROM started_at)
        i += 2;
        continue;
      }
      if (!names_column(tokens, i)) continue;
      read_column(tokens.subspan(i), side);
      return;
    }
  }

  static bool names_column(Tokens tokens, size_t at) {
    static constexpr std::array<std::string_view, 22> kWords = {
        "AND",     "OR",       "NOT",  "IS",    "NULL",     "ANY",   "ALL",  "ARRAY",
        "CASE",    "WHEN",     "THEN", "ELSE",  "END",      "ROW",   "FROM", "COLLATE",
        "SubPlan", "InitPlan", "TRUE", "FALSE", "DISTINCT", "hashed"};
    const PlanToken& token = tokens[at];
    if (token.kind != Kind::kName || !token.closed || is_constant_word(token)) return false;
    if (std::find(kWords.begin(), kWords.end(), token.text) != kWords.end()) return false;
    size_t next = at + 1;  // behind "schema.function"
    while (next + 1 < tokens.size() && tokens[next].kind == Kind::kDot)
      next += 2;
    return next >= tokens.size() || tokens[next].kind != Kind::kOpen;
  }

  /// The index of a "::" that ends the expression; tokens.size() without one.
  [[nodiscard]] size_t last_cast(Tokens tokens) const {
    size_t cast = tokens.size();
    for (size_t i = 0; i < tokens.size(); i = behind(tokens, i)) {
      if (tokens[i].kind == Kind::kCast) cast = i;
      if (tokens[i].kind == Kind::kOperator) return tokens.size();
    }
    if (cast == tokens.size() || cast == 0) return tokens.size();
    return cast + 1 + type_length(tokens.subspan(cast + 1)) == tokens.size() ? cast : tokens.size();
  }

  static std::string type_text(Tokens tokens) {
    std::string text;
    for (const PlanToken& token : tokens) {
      if (token.kind == Kind::kNumber) continue;  // character varying(255)
      if (token.kind == Kind::kName && !text.empty()) text.push_back(' ');
      text += token.text;
    }
    if (const size_t empty = text.find("()"); empty != std::string::npos) text.erase(empty, 2);
    return text;
  }

  PlanCondition& add(const Side& side, Tokens tokens, std::string op, const Side* other) {
    if (clause_.conditions.size() >= PlanLimits::kConditions) return spare_;
    PlanCondition& condition = clause_.conditions.emplace_back();
    condition.qualifier = side.qualifier;
    condition.column = side.column;
    condition.expression = normal_text(tokens, true, PlanLimits::kText);
    condition.op = std::move(op);
    condition.cast_to = side.function ? std::string() : side.cast_to;
    condition.function = side.function;
    if (other == nullptr) return condition;
    condition.operand = other->operand();
    condition.operand_type = other->cast_to;
    if (is_like(condition.op) || is_regex(condition.op)) {
      condition.pattern = !other->literal         ? PlanPattern::kUnknown
                          : is_like(condition.op) ? pattern_of(other->literal_text)
                                                  : regex_pattern_of(other->literal_text);
    }
    return condition;
  }

  Tokens all_;
  PlanClause& clause_;
  PlanCondition spare_;  // for what comes after the limit
};

void gather(Tokens tokens, ClauseFacts& facts) {
  for (const PlanToken& token : tokens) {
    if (is_literal(token)) facts.literals = true;
    if (token.kind != Kind::kParameter) continue;
    uint16_t number = 0;
    std::from_chars(token.text.data() + 1, token.text.data() + token.text.size(), number);
    if (std::find(facts.parameters.begin(), facts.parameters.end(), number) ==
        facts.parameters.end()) {
      facts.parameters.push_back(number);
    }
  }
}

}  // namespace

PlanClause read_clause(std::string_view text, size_t room, ClauseFacts& facts) {
  bool whole = true;
  const std::vector<PlanToken> tokens = plan_tokens(text, kMaxTokens, &whole);
  gather(tokens, facts);
  PlanClause clause;
  clause.text = normal_text(tokens, whole, room);
  if (whole) ClauseReader(tokens, clause).read();
  return clause;
}

std::string without_literals(std::string_view text, size_t room) {
  bool whole = true;
  const std::vector<PlanToken> tokens = plan_tokens(text, kMaxTokens, &whole);
  return normal_text(tokens, whole, room);
}

char open_quote(std::string_view text, char open) {
  bool backslashes = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (open == 0) {
      if (c != '\'' && c != '"') continue;
      open = c;
      backslashes = c == '\'' && i > 0 && (text[i - 1] == 'E' || text[i - 1] == 'e');
    } else if (backslashes && c == '\\') {
      ++i;
    } else if (c == open) {
      open = 0;  // a doubled quote opens again at once
    }
  }
  return open;
}

}  // namespace ectoscope
