#include "advice/ecto_names.h"

#include <algorithm>

#include "advice/inflection.h"
#include "core/query.h"

namespace ectoscope {
namespace {

bool lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}

bool plain(std::string_view name) {
  return !name.empty() && (lower(name[0]) || name[0] == '_') &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return lower(c) || upper(c) || digit(c) || c == '_'; });
}

std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\' || c == '#') text.push_back('\\');
    text.push_back(c);
  }
  return text + '"';
}

/// The name in lower snake case, of letters, digits and single underscores; `fallback` if nothing
/// of it is left.
std::string snake(std::string_view name, std::string_view fallback) {
  std::string text;
  bool was_small = false;
  for (const char c : name) {
    const bool starts_word = upper(c) && was_small;
    const bool keep = lower(c) || upper(c) || digit(c);
    if ((starts_word || !keep) && !text.empty() && text.back() != '_') text.push_back('_');
    if (keep) text.push_back(upper(c) ? static_cast<char>(c - 'A' + 'a') : c);
    was_small = lower(c) || digit(c);
  }
  while (text.ends_with('_'))
    text.pop_back();
  if (text.empty() || digit(text[0]))
    text.insert(0, std::string(fallback) + (text.empty() ? "" : "_"));
  return text;
}

}  // namespace

std::string_view without_prefix(std::string_view table) {
  const std::string_view bare = bare_name(table);
  return bare.empty() ? table : bare;
}

std::string schema_module(std::string_view table) {
  const std::string name = singular(snake(without_prefix(table), "schema"));
  std::string module;
  bool start = true;
  for (const char c : name) {
    if (c != '_') module.push_back(start && lower(c) ? static_cast<char>(c - 'a' + 'A') : c);
    start = c == '_';
  }
  return module;
}

std::string atom(std::string_view name) {
  return ":" + (plain(name) ? std::string(name) : quoted(name));
}

std::string keyword(std::string_view name) {
  return (plain(name) ? std::string(name) : quoted(name)) + ":";
}

std::string rows_variable(std::string_view table) {
  return plural(snake(without_prefix(table), "rows"));
}

std::string row_variable(std::string_view table) {
  return singular(snake(without_prefix(table), "row"));
}

std::string value_variable(std::string_view column) {
  return snake(column, "value");
}

std::string values_variable(std::string_view column) {
  return plural(snake(column, "values"));
}

std::string binding(std::string_view table) {
  const std::string name = snake(without_prefix(table), "t");
  return name.substr(0, 1);
}

std::string field_of(std::string_view binding, std::string_view column) {
  if (plain(column)) return std::string(binding) + "." + std::string(column);
  return "field(" + std::string(binding) + ", " + atom(column) + ")";
}

std::string_view foreign_key_stem(std::string_view column) {
  constexpr std::string_view kEnding = "_id";
  if (column.size() <= kEnding.size() || !column.ends_with(kEnding)) return {};
  return column.substr(0, column.size() - kEnding.size());
}

}  // namespace ectoscope
