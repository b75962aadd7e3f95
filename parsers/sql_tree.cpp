#include "parsers/sql_tree.h"

#include <algorithm>
#include <limits>

namespace ectoscope {

std::string_view string_of(const PgQuery__Node* node) {
  if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_STRING) return {};
  const char* text = node->string->sval;
  return text == nullptr ? std::string_view() : std::string_view(text);
}

std::string_view last_name(std::span<PgQuery__Node* const> names) {
  return names.empty() ? std::string_view() : string_of(names.back());
}

const PgQuery__Node* unwrap(const PgQuery__Node* node, bool& wrapped) {
  while (node != nullptr) {
    if (node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
      node = node->type_cast->arg;
    } else if (node->node_case == PG_QUERY__NODE__NODE_COLLATE_CLAUSE) {
      node = node->collate_clause->arg;
    } else {
      break;
    }
    wrapped = true;
  }
  return node;
}

uint16_t SqlSlots::of(const PgQuery__Node* node) const {
  bool wrapped = false;
  node = unwrap(node, wrapped);
  if (node == nullptr) return 0;
  constexpr size_t kMax = std::numeric_limits<uint16_t>::max();
  if (node->node_case == PG_QUERY__NODE__NODE_PARAM_REF) {
    const int32_t number = node->param_ref->number;
    return number > 0 && static_cast<size_t>(number) <= kMax ? static_cast<uint16_t>(number)
                                                             : uint16_t{0};
  }
  if (node->node_case != PG_QUERY__NODE__NODE_A_CONST || node->a_const->location < 0) return 0;
  const auto at = static_cast<uint32_t>(node->a_const->location);
  const auto found = std::lower_bound(
      skeleton_.literals.begin(), skeleton_.literals.end(), at,
      [](const SqlLiteral& literal, uint32_t place) { return literal.at < place; });
  if (found == skeleton_.literals.end() || found->at != at) return 0;
  const size_t slot =
      skeleton_.parameters + 1 + static_cast<size_t>(found - skeleton_.literals.begin());
  return slot <= kMax ? static_cast<uint16_t>(slot) : uint16_t{0};
}

}  // namespace ectoscope
