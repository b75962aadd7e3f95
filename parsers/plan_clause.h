// Conditions of a plan, as PostgreSQL prints them: literals out, comparisons apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan.h"

namespace ectoscope {

/// What the clauses of one plan have in them, taken together.
struct ClauseFacts {
  bool literals = false;
  std::vector<uint16_t> parameters;  // numbers after $, each once
};

/// Takes a condition apart.  `room` is how many bytes its text may have.  What is cut off, or is no
/// condition, loses its parts, never its literals' protection: an open quote hides all behind it.
PlanClause read_clause(std::string_view text, size_t room, ClauseFacts& facts);

/// An expression without its literals: a sort or group key.
std::string without_literals(std::string_view text, size_t room);

/// The quote that is open at the end of `text`, at whose beginning `open` was; 0: none.
char open_quote(std::string_view text, char open = 0);

}  // namespace ectoscope
