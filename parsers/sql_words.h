// SQL's words, as far as the skeleton, the guard and the rendering care about them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ectoscope {

/// What one unquoted word means to us; a word without an entry has no bit set.
class SqlWord {
 public:
  enum Bits : uint32_t {
    kKeyword = 1U << 0U,         // shown in capitals; a name spelt so must stay quoted
    kSpaceBefore = 1U << 1U,     // takes a space before a following '('
    kUnarySign = 1U << 2U,       // a sign after it belongs to the number that follows
    kResets = 1U << 3U,          // begins a clause: expressions before it are complete
    kChains = 1U << 4U,          // an operator written as a word: one more level of the tree
    kCombines = 1U << 5U,        // JOIN, UNION ...: one more level, for the whole statement
    kTypeWithNumber = 1U << 6U,  // varchar(255): the number is no value
    kConstant = 1U << 7U,        // NULL, TRUE, FALSE
    kIn = 1U << 8U,
    kArray = 1U << 9U,
    kValues = 1U << 10U,
    kSelect = 1U << 11U,
    kCase = 1U << 12U,
    kEnd = 1U << 13U,
    kUescape = 1U << 14U,
    kSet = 1U << 15U,
    kTo = 1U << 16U,
    kRole = 1U << 17U,          // ROLE, AUTHORIZATION: what follows in SET is a value
    kNamesRelation = 1U << 18U  // FROM, JOIN, INTO ...: a relation's name follows
  };

  /// `lower` is in lower case.  Cost: one hash, one compare.
  static SqlWord of(std::string_view lower);
  static SqlWord of_any_case(std::string_view word);

  constexpr SqlWord() = default;
  constexpr explicit SqlWord(uint32_t bits) : bits_(bits) {}
  [[nodiscard]] constexpr bool is(uint32_t any_of) const { return (bits_ & any_of) != 0; }

 private:
  uint32_t bits_ = 0;
};

/// Appends the word in lower case, as PostgreSQL folds it (ASCII alone).
void append_lower(std::string_view word, std::string& out);

}  // namespace ectoscope
