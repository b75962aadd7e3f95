#include "advice/ddl_text.h"

#include <algorithm>

namespace ectoscope {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

/// Where the bracket that opens at `at` ends; the text's end when it does not.
size_t bracket_end(std::string_view text, size_t at) {
  size_t depth = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '(') ++depth;
    if (text[at] == ')' && --depth == 0) return at;
  }
  return at;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

}  // namespace

bool DdlWord::is(std::string_view word) const {
  return !quoted && !bracket && text.size() == word.size() &&
         std::equal(text.begin(), text.end(), word.begin(),
                    [](char a, char b) { return upper(a) == b; });
}

std::vector<DdlWord> ddl_words(std::string_view sql) {
  std::vector<DdlWord> words;
  for (size_t at = 0; at < sql.size();) {
    if (is_blank(sql[at]) || sql[at] == ',' || sql[at] == ';' || sql[at] == '.') {
      ++at;
    } else if (sql[at] == '"') {
      const size_t end = std::min(sql.find('"', at + 1), sql.size());
      words.push_back({std::string(sql.substr(at + 1, end - at - 1)), true, false});
      at = end + 1;
    } else if (sql[at] == '(') {
      const size_t end = bracket_end(sql, at);
      words.push_back({std::string(sql.substr(at + 1, end - at - 1)), false, true});
      at = end + 1;
    } else {
      const size_t end = std::min(sql.find_first_of(" \n\t\r,;.\"(", at), sql.size());
      words.push_back({std::string(sql.substr(at, end - at)), false, false});
      at = end;
    }
  }
  return words;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && text[at] == '(') at = bracket_end(text, at);
    if (at < text.size() && text[at] != ',') continue;
    std::string_view part = trimmed(text.substr(begin, at - begin));
    const bool name =
        part.size() > 1 && part.front() == '"' && part.find('"', 1) + 1 == part.size();
    if (name) part = part.substr(1, part.size() - 2);
    if (!part.empty()) parts.emplace_back(part);
    begin = at + 1;
  }
  return parts;
}

IndexDefinition index_of(std::string_view sql) {
  const std::vector<DdlWord> words = ddl_words(sql);
  const auto find = [&](std::string_view word) {
    return std::find_if(words.begin(), words.end(), [&](const DdlWord& it) { return it.is(word); });
  };
  const auto on = find("ON");
  const auto index = find("INDEX");
  IndexDefinition found;
  if (index == words.end() || on == words.end() || on < index) return found;
  found.unique = find("UNIQUE") < index;
  if (on - 1 > index && !(on - 1)->is("EXISTS")) found.name = (on - 1)->text;
  for (auto word = on + 1; word != words.end() && !word->bracket && !word->is("USING"); ++word)
    if (!word->is("ONLY")) found.table = word->text;  // the last: without its schema
  if (const auto method = find("USING"); method != words.end() && method + 1 != words.end()) {
    if (!(method + 1)->is("BTREE")) found.method = (method + 1)->text;
  }
  const auto columns = std::find_if(on, words.end(), [](const DdlWord& it) { return it.bracket; });
  if (columns != words.end()) found.columns = split_list(columns->text);
  if (const auto where = find("WHERE"); where != words.end()) {
    const size_t at = sql.rfind(where->text);
    found.where = trimmed(sql.substr(at + where->text.size()));
  }
  return found;
}

std::string name_after(const std::vector<DdlWord>& sql,
                       const std::vector<std::string_view>& words) {
  for (size_t at = 0; at + words.size() < sql.size(); ++at) {
    size_t same = 0;
    while (same < words.size() && sql[at + same].is(words[same]))
      ++same;
    if (same == words.size()) return sql[at + same].bracket ? std::string() : sql[at + same].text;
  }
  return {};
}

ColumnChange column_change(const std::vector<DdlWord>& words, std::string_view verb) {
  ColumnChange change;
  for (size_t at = 0; at + 1 < words.size(); ++at) {
    if (!words[at].is(verb) || words[at + 1].is("TABLE")) continue;
    size_t next = at + 1;
    if (words[next].is("COLUMN")) ++next;
    for (const std::string_view word : {"IF", "NOT", "EXISTS"})
      if (next < words.size() && words[next].is(word)) ++next;
    if (next >= words.size()) break;
    change.column = words[next].text;
    if (next + 1 < words.size() && words[next + 1].is("TYPE")) ++next;
    if (next + 1 < words.size() && !words[next + 1].bracket) change.type = words[next + 1].text;
    return change;
  }
  return change;
}

}  // namespace ectoscope
