#include "parsers/sql_tenants.h"

#include <algorithm>

#include "core/glob.h"
#include "parsers/sql_lexer.h"

namespace ectoscope {
namespace {

bool is_as(std::string_view word) {
  return word.size() == 2 && (word[0] == 'a' || word[0] == 'A') &&
         (word[1] == 's' || word[1] == 'S');
}

bool is_name(const SqlToken& token) {
  return token.kind == SqlTokenKind::kWord || token.kind == SqlTokenKind::kQuotedName;
}

std::string_view name_in(std::string_view sql, const SqlToken& token) {
  return token.kind == SqlTokenKind::kQuotedName
             ? sql.substr(token.value_begin, token.value_end - token.value_begin)
             : sql.substr(token.begin, token.end - token.begin);
}

}  // namespace

/// Moves what stands in the skeleton's text behind edits.  Asked for ascending positions.
class TenantSchemas::Shift {
 public:
  explicit Shift(const std::vector<Edit>& edits) : next_(edits.begin()), end_(edits.end()) {}

  void move(uint32_t& at) {
    for (; next_ != end_ && next_->end <= at; ++next_)
      by_ += static_cast<int64_t>(next_->glob->size() + 2) - (next_->end - next_->begin);
    at = static_cast<uint32_t>(at + by_);
  }

 private:
  std::vector<Edit>::const_iterator next_;
  std::vector<Edit>::const_iterator end_;
  int64_t by_ = 0;
};

bool TenantSchemas::may_have_any(std::string_view sql) const {
  return std::any_of(globs_.begin(), globs_.end(), [&](const std::string& glob) {
    return sql.find(std::string_view(glob).substr(0, glob.find('*'))) != std::string_view::npos;
  });
}

const std::string* TenantSchemas::glob_of(std::string_view name) const {
  const auto found = std::find_if(globs_.begin(), globs_.end(), [&](const std::string& glob) {
    return glob_matches(glob, name);
  });
  return found == globs_.end() ? nullptr : &*found;
}

std::string_view TenantSchemas::shown(std::string_view schema) const {
  const std::string* glob = glob_of(schema);
  return glob == nullptr ? schema : std::string_view(*glob);
}

std::vector<TenantSchemas::Edit> TenantSchemas::find(std::string_view sql) const {
  std::vector<Edit> edits;
  std::vector<std::string_view> given;
  SqlLexer lexer(sql);
  SqlToken before;
  SqlToken last;
  for (SqlToken token = lexer.next(); token.kind != SqlTokenKind::kEnd; token = lexer.next()) {
    if (token.kind == SqlTokenKind::kComment) continue;
    if (is_name(token) && last.kind == SqlTokenKind::kWord && is_as(name_in(sql, last)))
      given.push_back(name_in(sql, token));
    if (token.kind == SqlTokenKind::kDot && is_name(last) && before.kind != SqlTokenKind::kDot) {
      const std::string_view name = name_in(sql, last);
      if (const std::string* glob = glob_of(name)) {
        edits.push_back(
            {static_cast<uint32_t>(last.begin), static_cast<uint32_t>(last.end), name, glob});
      }
    }
    before = last;
    last = token;
  }
  std::erase_if(edits, [&](const Edit& edit) {
    return std::find(given.begin(), given.end(), edit.name) != given.end();
  });
  return edits;
}

std::string TenantSchemas::fold(SqlSkeleton& skeleton) const {
  if (!may_have_any(skeleton.text)) return {};
  const std::vector<Edit> edits = find(skeleton.text);
  if (edits.empty()) return {};
  std::string text;
  std::string names;
  size_t copied = 0;
  for (const Edit& edit : edits) {
    names.append(1, '\0').append(edit.name);
    text.append(skeleton.text, copied, edit.begin - copied).append(1, '"');
    text.append(*edit.glob).append(1, '"');
    copied = edit.end;
  }
  text.append(skeleton.text, copied);
  Shift literals(edits);
  for (SqlLiteral& literal : skeleton.literals)
    literals.move(literal.at);
  Shift begins(edits);
  Shift ends(edits);
  for (SqlSpan& rows : skeleton.further_rows) {
    begins.move(rows.begin);
    ends.move(rows.end);
  }
  skeleton.text = std::move(text);
  return names;
}

}  // namespace ectoscope
