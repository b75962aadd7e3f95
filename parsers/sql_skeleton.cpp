#include "parsers/sql_skeleton.h"

#include <algorithm>
#include <limits>

namespace ectoscope {
namespace {

constexpr uint32_t kMaxTypeNumber =
    4;  // digits; numeric(1000) is the longest that PostgreSQL takes

uint32_t u32(size_t value) {
  return static_cast<uint32_t>(value);
}

bool is_word(SqlTokenKind kind) {
  return kind == SqlTokenKind::kWord || kind == SqlTokenKind::kNumber ||
         kind == SqlTokenKind::kString || kind == SqlTokenKind::kParameter;
}

}  // namespace

void stop_at_first_string(SqlSkeleton& skeleton) {
  const auto first =
      std::find_if(skeleton.literals.begin(), skeleton.literals.end(),
                   [&](const SqlLiteral& literal) { return skeleton.text[literal.at] != '1'; });
  if (first == skeleton.literals.end()) return;
  const size_t end = skeleton.text.find('\'', first->at) + 2;
  skeleton.text.resize(end);
  skeleton.literals.erase(first + 1, skeleton.literals.end());
  std::erase_if(skeleton.further_rows, [end](const SqlSpan& rows) { return rows.end > end; });
}

void SqlSkeletonBuilder::build(std::string_view sql, SqlSkeleton& out) {
  sql_ = sql.substr(0, std::numeric_limits<uint32_t>::max());
  out_ = &out;
  out.text.clear();
  out.literals.clear();
  out.comments.clear();
  out.further_rows.clear();
  out.torn = out.abrupt = false;
  out.parameters = out.rows = 0;
  levels_.assign(1, Level{});
  copied_ = lists_ = rows_ = 0;
  last_ = before_last_ = SqlToken{};
  set_statement_ = assigned_ = assigned_begun_ = uescape_ = false;

  SqlLexer lexer(sql_);
  for (SqlToken token = lexer.next(); token.kind != SqlTokenKind::kEnd; token = lexer.next()) {
    if (token.kind == SqlTokenKind::kComment) {
      out.comments.push_back({u32(token.value_begin), u32(token.value_end)});
      copy_to(token.begin);
      copied_ = token.end;
      if (!out.text.empty() && out.text.back() != ' ') out.text.push_back(' ');
      continue;
    }
    take(token);
    before_last_ = last_;
    last_ = token;
  }
  copy_to(sql_.size());
  if (out.torn) stop_at_first_string(out);
  while (!out.text.empty() && (out.text.back() == ';' || out.text.back() == ' ' ||
                               (out.text.back() >= '\t' && out.text.back() <= '\r'))) {
    out.text.pop_back();
  }
}

void SqlSkeletonBuilder::take(const SqlToken& token) {
  if (assigned_ && token.kind != SqlTokenKind::kSemicolon) return assigned_value(token);
  switch (token.kind) {
    case SqlTokenKind::kWord:
      return word(token);
    case SqlTokenKind::kQuotedName:
      return name(token);
    case SqlTokenKind::kNumber:
      return number(token);
    case SqlTokenKind::kString:
    case SqlTokenKind::kBitString:
      return string(token);
    case SqlTokenKind::kParameter:
      return parameter(token);
    case SqlTokenKind::kOperator:
    case SqlTokenKind::kCast:
      return op(token);
    case SqlTokenKind::kOpen:
    case SqlTokenKind::kOpenSquare:
      return open(token);
    case SqlTokenKind::kClose:
    case SqlTokenKind::kCloseSquare:
      return close(token);
    case SqlTokenKind::kComma:
      return comma(token);
    case SqlTokenKind::kSemicolon:
      return semicolon();
    default:
      return impure();
  }
}

SqlWord SqlSkeletonBuilder::word_of(const SqlToken& token) const {
  if (token.kind != SqlTokenKind::kWord) return {};
  return SqlWord::of_any_case(sql_.substr(token.begin, token.end - token.begin));
}

// After `SET name TO`: a name there (a tenant's schema, a role) is a value like any other.
void SqlSkeletonBuilder::assigned_value(const SqlToken& token) {
  if (assigned_begun_) {
    out_->literals.back().end = u32(token.end);
    copied_ = token.end;
    return;
  }
  assigned_begun_ = true;
  literal(token.begin, token.end, {u32(token.begin), u32(token.end)}, "''");
}

void SqlSkeletonBuilder::word(const SqlToken& token) {
  const bool after_string = last_.kind == SqlTokenKind::kString;
  if (after_string && last_.end == token.begin) out_->abrupt = true;
  const bool begins = last_.kind == SqlTokenKind::kEnd || last_.kind == SqlTokenKind::kSemicolon;
  // Elsewhere a word is looked at when what follows asks for it.
  if (lists_ == 0 && rows_ == 0 && !after_string && !begins && !set_statement_) return;
  const SqlWord known = word_of(token);
  if (begins) set_statement_ = known.is(SqlWord::kSet);
  if (known.is(SqlWord::kConstant) && level().row &&
      (last_.kind == SqlTokenKind::kOpen || last_.kind == SqlTokenKind::kComma)) {
    literal(token.begin, token.end, {u32(token.begin), u32(token.end)}, "''");
    return;
  }
  if (after_string && known.is(SqlWord::kUescape)) {
    copy_to(token.begin);
    copied_ = token.end;
    uescape_ = true;
    return;
  }
  if (!level().cast && !known.is(SqlWord::kConstant)) level().pure = false;
  if (known.is(SqlWord::kSelect)) level().has_select = true;
  if (set_statement_ && levels_.size() == 1 && known.is(SqlWord::kTo | SqlWord::kRole)) {
    assigned_ = true;
    assigned_begun_ = false;
  }
}

void SqlSkeletonBuilder::impure() {
  level().pure = false;
}

void SqlSkeletonBuilder::name(const SqlToken& token) {
  impure();
  if (token.value_end == token.end) {  // it has no end, and may hold anything
    copy_to(token.begin);
    copied_ = token.end;
    out_->torn = true;
  }
}

// Whether the operator before a number is the number's sign, not a subtraction.
bool SqlSkeletonBuilder::sign_before() const {
  const bool sign = last_.kind == SqlTokenKind::kOperator && last_.end - last_.begin == 1 &&
                    (sql_[last_.begin] == '-' || sql_[last_.begin] == '+');
  if (!sign) return false;
  switch (before_last_.kind) {
    case SqlTokenKind::kWord:
      return word_of(before_last_).is(SqlWord::kUnarySign);
    case SqlTokenKind::kQuotedName:
    case SqlTokenKind::kNumber:
    case SqlTokenKind::kString:
    case SqlTokenKind::kBitString:
    case SqlTokenKind::kParameter:
    case SqlTokenKind::kClose:
    case SqlTokenKind::kCloseSquare:
      return false;
    default:
      return true;
  }
}

void SqlSkeletonBuilder::number(const SqlToken& token) {
  if (level().type_numbers && token.end - token.begin <= kMaxTypeNumber) return;
  const bool sign = sign_before();
  const bool touches = sign && last_.end == token.begin;
  if (last_.kind == SqlTokenKind::kString && last_.end == token.begin) out_->abrupt = true;
  literal(sign ? last_.begin : token.begin, token.end,
          {u32(touches ? last_.begin : token.begin), u32(token.end)}, "1");
}

void SqlSkeletonBuilder::string(const SqlToken& token) {
  if (uescape_) {  // the escape character of a U&'' string belongs to it
    uescape_ = false;
    copy_to(token.begin);
    copied_ = token.end;
    return;
  }
  if (token.value_end == token.end) out_->torn = true;
  if (last_.end == token.begin && is_word(last_.kind)) out_->abrupt = true;
  literal(token.begin, token.end, {u32(token.value_begin), u32(token.value_end)},
          token.kind == SqlTokenKind::kString ? "''" : "b''");
}

// Puts the placeholder in the place of the statement's bytes from `from` to `to`.
void SqlSkeletonBuilder::literal(size_t from, size_t to, SqlSpan value,
                                 std::string_view placeholder) {
  copy_to(from);
  copied_ = to;
  std::string& text = out_->text;
  if (!text.empty() && (is_sql_word_char(text.back()) || text.back() == '\'')) text.push_back(' ');
  out_->literals.push_back({value.begin, value.end, u32(text.size())});
  text += placeholder;
}

void SqlSkeletonBuilder::copy_to(size_t end) {
  if (end > copied_) out_->text.append(sql_, copied_, end - copied_);
  copied_ = std::max(copied_, end);
}

void SqlSkeletonBuilder::parameter(const SqlToken& token) {
  uint32_t number = 0;
  for (size_t i = token.value_begin; i < token.value_end && number < 100'000; ++i) {
    number = number * 10 + static_cast<uint32_t>(sql_[i] - '0');
  }
  // The protocol allows 65535.
  if (number <= std::numeric_limits<uint16_t>::max()) {
    out_->parameters = std::max(out_->parameters, number);
  }
}

void SqlSkeletonBuilder::op(const SqlToken& token) {
  if (token.kind == SqlTokenKind::kCast) {
    level().cast = true;
    return;
  }
  const char first = sql_[token.begin];
  const bool single = token.end - token.begin == 1;
  if (single && (first == '-' || first == '+')) return;  // a sign, or of constants alone
  impure();
  if (set_statement_ && single && first == '=' && levels_.size() == 1) {
    assigned_ = true;
    assigned_begun_ = false;
  }
}

void SqlSkeletonBuilder::comma(const SqlToken& token) {
  if (!level().list) return;
  end_element(token);
  level().cast = false;
}

void SqlSkeletonBuilder::semicolon() {
  impure();
  assigned_ = set_statement_ = false;
}

void SqlSkeletonBuilder::open(const SqlToken& token) {
  Level inner;
  inner.opener = token.kind;
  inner.opened_literals = u32(out_->literals.size());
  const SqlWord before = word_of(last_);
  if (token.kind == SqlTokenKind::kOpenSquare) {
    inner.list = before.is(SqlWord::kArray);
  } else {
    Level& outer = level();
    inner.list = before.is(SqlWord::kIn);
    inner.type_numbers = before.is(SqlWord::kTypeWithNumber);
    const bool next_row = outer.row_close != 0 && last_.kind == SqlTokenKind::kComma &&
                          before_last_.end == outer.row_close;
    inner.row = next_row || before.is(SqlWord::kValues);
    if (inner.row && !next_row) {
      copy_to(token.begin);
      outer.rows = 0;
      outer.rows_begin = u32(out_->text.size());
      outer.rows_first_literal = u32(out_->literals.size());
    }
  }
  lists_ += inner.list ? 1 : 0;
  rows_ += inner.row ? 1 : 0;
  levels_.push_back(inner);
}

void SqlSkeletonBuilder::close(const SqlToken& token) {
  const SqlTokenKind opener =
      token.kind == SqlTokenKind::kClose ? SqlTokenKind::kOpen : SqlTokenKind::kOpenSquare;
  if (levels_.size() == 1 || level().opener != opener) return;
  if (level().list) end_element(token);
  const Level inner = level();
  levels_.pop_back();
  lists_ -= inner.list ? 1 : 0;
  rows_ -= inner.row ? 1 : 0;
  Level& outer = level();
  if (inner.list ? !inner.collapses : !inner.pure) outer.pure = false;
  outer.has_select = outer.has_select || inner.has_select;
  if (inner.row) end_row(token, inner);
}

// In `IN (1, 2, 3)` the first element stays and its literal grows over the others', so that two
// lists of different values still differ.  `token` ends the element.
void SqlSkeletonBuilder::end_element(const SqlToken& token) {
  Level& here = level();
  const bool pure = here.pure;
  here.pure = true;
  copy_to(token.begin);
  if (++here.elements == 1) {
    here.collapses = pure;
    here.element_end = u32(out_->text.size());
    here.element_literals = u32(out_->literals.size());
    return;
  }
  here.collapses = here.collapses && pure;
  if (!here.collapses) return;
  if (here.element_literals > here.opened_literals) {
    out_->literals[here.element_literals - 1].end = out_->literals.back().end;
  }
  out_->literals.resize(here.element_literals);
  out_->text.resize(here.element_end);
}

// Of all rows two stay: the first, and a copy of it that stands for the others.
void SqlSkeletonBuilder::end_row(const SqlToken& close, const Level& row) {
  copy_to(close.end);
  Level& outer = level();
  outer.row_close = u32(close.end);
  ++outer.rows;
  out_->rows = std::max(out_->rows, outer.rows);
  std::string& text = out_->text;
  if (outer.rows == 1) {
    outer.rows_collapse = !row.has_select;
    outer.rows_end = u32(text.size());
    outer.rows_literals = u32(out_->literals.size());
    return;
  }
  outer.rows_collapse = outer.rows_collapse && !row.has_select;
  if (!outer.rows_collapse) return;
  const bool first_row_has_literals = outer.rows_literals > outer.rows_first_literal;
  if (first_row_has_literals) {
    out_->literals[outer.rows_literals - 1].end = out_->literals.back().end;
  }
  out_->literals.resize(outer.rows_literals);
  text.resize(outer.rows_end);
  if (outer.rows > 2) return;
  const std::string first = text.substr(outer.rows_begin, outer.rows_end - outer.rows_begin);
  text += ',';
  text += first;
  out_->further_rows.push_back({outer.rows_end, u32(text.size())});
  outer.rows_end = u32(text.size());
}

}  // namespace ectoscope
