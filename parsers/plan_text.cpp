#include "parsers/plan_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "parsers/plan_clause.h"

namespace ectoscope {
namespace {

void append_utf8(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
    return;
  }
  if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0U | (code >> 6U)));
  } else {
    out.push_back(static_cast<char>(0xE0U | (code >> 12U)));
    out.push_back(static_cast<char>(0x80U | ((code >> 6U) & 0x3FU)));
  }
  out.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
}

/// What PostgreSQL's escape_json wrote, up to the closing quote.  `text` starts behind the opening
/// one.
void unescape_json(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    switch (text[++i]) {
      case 'n':
        out.push_back('\n');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'u': {
        uint32_t code = 0;
        const std::string_view digits = text.substr(i + 1, 4);
        std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        append_utf8(code, out);
        i += digits.size();
        break;
      }
      default:
        out.push_back(text[i]);
    }
  }
}

void unescape_xml(std::string_view text, std::string& out) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
      {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&#x0d;", '\r'}}};
  while (!text.empty()) {
    size_t used = 1;
    char c = text.front();
    for (const auto& [entity, meaning] : kEntities) {
      if (!text.starts_with(entity)) continue;
      c = meaning;
      used = entity.size();
    }
    out.push_back(c);
    text.remove_prefix(used);
  }
}

}  // namespace

// The text format does not mark where the statement ends: the tree's first line does, by its costs.
// A literal may hold such a line, too, so one outside of quotes goes before one inside.
size_t tree_of_plan(std::string_view text) {
  size_t quoted = std::string_view::npos;
  size_t from = 0;
  char open = 0;
  while (from < text.size()) {
    const size_t end = std::min(text.find('\n', from), text.size());
    const std::string_view line = text.substr(from, end - from);
    const bool begins_tree = from > 0 && line.find("  (cost=") != std::string_view::npos;
    if (begins_tree && open == 0) return from;
    if (begins_tree) quoted = std::min(quoted, from);
    open = open_quote(line, open);
    from = end + 1;
  }
  return quoted;
}

std::string_view query_of_plan(std::string_view plan, std::string& scratch) {
  constexpr size_t kHead = 200;  // the statement is the entry's first field
  constexpr std::string_view kXmlOpen = "<Query-Text>";
  const std::string_view head = plan.substr(0, kHead);
  scratch.clear();
  for (const std::string_view quoted : {"\"Query Text\": \"", "Query Text: \""}) {
    const size_t at = head.find(quoted);
    if (at == std::string_view::npos) continue;
    unescape_json(plan.substr(at + quoted.size()), scratch);
    return scratch;
  }
  if (const size_t at = head.find(kXmlOpen); at != std::string_view::npos) {
    const std::string_view text = plan.substr(at + kXmlOpen.size());
    unescape_xml(text.substr(0, text.find("</Query-Text>")), scratch);
    return scratch;
  }
  constexpr std::string_view kText = "Query Text: ";
  const size_t at = head.find(kText);
  if (at == std::string_view::npos) return {};
  const std::string_view text = plan.substr(at);
  std::string_view sql = text.substr(0, tree_of_plan(text));
  if (const size_t values = sql.find("\nQuery Parameters: "); values != std::string_view::npos) {
    sql = sql.substr(0, values);
  }
  sql.remove_prefix(kText.size());
  if (sql.ends_with('\n')) sql.remove_suffix(1);
  return sql;
}

}  // namespace ectoscope
