#include "core/relations.h"

#include <algorithm>
#include <cctype>

namespace ectoscope {
namespace {

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

}  // namespace

bool loops_over_keys(const Query& query, const Execution& execution) {
  if (query.system || execution.has(Execution::kFetch)) return false;
  // Pages by key set have a limit, reads of one row's recent children need none; a write of a
  // range writes many rows.
  if (query.range && (query.has_limit || query.operation != Operation::kSelect)) return false;
  switch (query.operation) {
    case Operation::kInsert:
      return query.inserted_rows == 1;
    case Operation::kSelect:
    case Operation::kUpdate:
    case Operation::kDelete:
      return query.key_form == KeyForm::kSingle ||
             (query.key_form == KeyForm::kList && execution.has(Execution::kOneElement));
    default:
      return false;
  }
}

bool refers_to(std::string_view column, std::string_view table) {
  constexpr std::string_view kSuffix = "_id";
  if (!column.ends_with(kSuffix)) return false;
  column.remove_suffix(kSuffix.size());
  const auto same = std::mismatch(column.begin(), column.end(), table.begin(), table.end()).first;
  const auto common = static_cast<size_t>(same - column.begin());
  return common >= 3 && common + 1 >= column.size();
}

bool names_reference(const Query& query, std::string_view table) {
  const std::string_view text = query.text;
  for (size_t at = text.find("_id"); at != std::string_view::npos; at = text.find("_id", at + 1)) {
    size_t begin = at;
    while (begin > 0 && is_name(text[begin - 1]))
      --begin;
    if (refers_to(text.substr(begin, at + 3 - begin), table)) return true;
  }
  return false;
}

}  // namespace ectoscope
