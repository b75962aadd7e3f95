#include "advice/ecto_sql.h"

#include <algorithm>
#include <array>

namespace ectoscope {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Where `words` (in lower case) stand in `sql`, whatever its case.
size_t find_words(std::string_view sql, std::string_view words, size_t from = 0) {
  if (from > sql.size()) return std::string_view::npos;
  const auto at =
      std::search(sql.begin() + static_cast<std::ptrdiff_t>(from), sql.end(), words.begin(),
                  words.end(), [](char a, char b) { return lower(a) == b; });
  return at == sql.end() ? std::string_view::npos : static_cast<size_t>(at - sql.begin());
}

bool in_name(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// Takes an identifier, quoted or not, from the front of `text`; empty when none stands there.
std::string take_name(std::string_view& text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  size_t end = 0;
  std::string name;
  if (text.starts_with('"')) {
    end = text.find('"', 1);
    if (end == std::string_view::npos) return {};
    name = text.substr(1, end - 1);
    ++end;
  } else {
    while (end < text.size() && in_name(text[end]))
      ++end;
    name = text.substr(0, end);
  }
  text.remove_prefix(end);
  return name;
}

/// The column in `p0."user_id"`, `"user_id"` or `user_id` at the front of `text`.
std::string take_column(std::string_view& text) {
  std::string name = take_name(text);
  while (text.starts_with('.')) {
    text.remove_prefix(1);
    name = take_name(text);
  }
  return name;
}

/// The end of the expression at the front of `text`: a comma or clause outside of brackets.
size_t expression_end(std::string_view text) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')') --depth;
    if (depth < 0) return i;
    if (depth > 0) continue;
    if (text[i] == ',') return i;
    for (const std::string_view clause : {" where ", " from ", " returning "}) {
      if (find_words(text.substr(i, clause.size()), clause) == 0) return i;
    }
  }
  return text.size();
}

}  // namespace

Aggregate aggregate_of(std::string_view sql) {
  constexpr std::array<std::string_view, 5> kFunctions = {"count", "sum", "avg", "min", "max"};
  const std::string_view list = sql.substr(0, find_words(sql, " from "));
  Aggregate found;
  size_t first = std::string_view::npos;
  for (const std::string_view function : kFunctions) {
    const size_t at = find_words(list, std::string(function) + "(");
    if (at >= first || (at > 0 && in_name(list[at - 1]))) continue;
    first = at;
    found.function = function;
    std::string_view argument = list.substr(at + function.size() + 1);
    found.column = take_column(argument);
    if (!argument.starts_with(')')) found.column.clear();  // an expression, or distinct
  }
  return found;
}

std::vector<SetColumn> set_columns(std::string_view sql) {
  std::vector<SetColumn> columns;
  constexpr std::string_view kSet = " set ";
  const size_t set = find_words(sql, kSet);
  if (set == std::string_view::npos) return columns;
  std::string_view rest = sql.substr(set + kSet.size());
  for (;;) {
    SetColumn column;
    column.column = take_column(rest);
    while (rest.starts_with(' '))
      rest.remove_prefix(1);
    if (column.column.empty() || !rest.starts_with('=')) return columns;
    rest.remove_prefix(1);
    const size_t end = expression_end(rest);
    const std::string_view value = rest.substr(0, end);
    column.from_itself = value.find('"' + column.column + '"') != std::string_view::npos;
    columns.push_back(std::move(column));
    if (end == rest.size() || rest[end] != ',') return columns;
    rest.remove_prefix(end + 1);
  }
}

std::vector<std::string> conflict_target(std::string_view sql) {
  std::vector<std::string> columns;
  constexpr std::string_view kTarget = "on conflict (";
  const size_t at = find_words(sql, kTarget);
  if (at == std::string_view::npos) return columns;
  std::string_view rest = sql.substr(at + kTarget.size());
  for (;;) {
    std::string name = take_name(rest);
    while (rest.starts_with(' '))
      rest.remove_prefix(1);
    const bool more = rest.starts_with(',');
    if (name.empty() || (!more && !rest.starts_with(')'))) return {};  // an expression
    columns.push_back(std::move(name));
    if (!more) return columns;
    rest.remove_prefix(1);
  }
}

bool conflict_does_nothing(std::string_view sql) {
  const size_t at = find_words(sql, "on conflict");
  return at != std::string_view::npos &&
         find_words(sql, "do nothing", at) != std::string_view::npos;
}

}  // namespace ectoscope
