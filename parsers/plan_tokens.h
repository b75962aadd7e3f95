// The words of an expression as PostgreSQL's ruleutils print it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ectoscope {

enum class PlanTokenKind : uint8_t {
  kName,    // an identifier, quoted or not, or a key word
  kString,  // with its quotes
  kNumber,
  kParameter,  // $1
  kOperator,
  kCast,  // ::
  kDot,
  kComma,
  kOpen,  // ( or [
  kClose
};

struct PlanToken {
  PlanTokenKind kind = PlanTokenKind::kOperator;
  std::string_view text;  // with quotes
  bool closed = true;     // false: a quote that never ends
  uint32_t partner = 0;   // of kOpen and kClose: the other's index; its own when there is none
};

/// At most `limit` tokens; `*whole` tells whether that was all, with all quotes and brackets
/// closed. The views point into `text`.
std::vector<PlanToken> plan_tokens(std::string_view text, size_t limit, bool* whole);

/// A name without its quotes.
std::string plain_name(const PlanToken& token);

/// Whether it is the key word, which PostgreSQL prints in capitals.
inline bool is_word(const PlanToken& token, std::string_view word) {
  return token.kind == PlanTokenKind::kName && token.text == word;
}

}  // namespace ectoscope
