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

bool is_sign(std::string_view text) {
  return text == "-" || text == "+";
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
  out.first_word = SqlWord();
  out.torn = out.abrupt = false;
  out.parameters = out.rows = out.tokens = out.depth = out.height = 0;
  levels_.assign(1, Level{});
  last_ = SqlToken{};
  last_word_ = SqlWord();
  ends_in_operator_ = set_statement_ = assigned_ = uescape_ = sign_ = false;

  SqlLexer lexer(sql_);
  for (SqlToken token = lexer.next(); token.kind != SqlTokenKind::kEnd; token = lexer.next()) {
    if (token.kind == SqlTokenKind::kComment) {
      out.comments.push_back({u32(token.value_begin), u32(token.value_end)});
      continue;
    }
    take(token);
    last_ = token;
  }
  while (levels_.size() > 1)
    pop_level();
  finish_expression();
  out.height = std::max(out.height, level().highest + level().combined);
  if (out.torn) stop_at_first_string(out);
  while (!out.text.empty() && out.text.back() == ';')
    out.text.pop_back();
}

void SqlSkeletonBuilder::take(const SqlToken& token) {
  ++out_->tokens;
  if (level().in_values && level().rows > 0 && token.kind != SqlTokenKind::kComma &&
      token.kind != SqlTokenKind::kOpen) {
    level().in_values = false;
  }
  if (token.begin == last_.end && token.begin > 0) {
    const bool string = token.kind == SqlTokenKind::kString && is_word(last_.kind);
    out_->abrupt |= string || (last_.kind == SqlTokenKind::kString && is_word(token.kind));
  }
  if (assigned_ && token.kind != SqlTokenKind::kSemicolon) return assigned_value(token);
  const bool sign_before = sign_;
  const bool uescape_before = uescape_;
  switch (token.kind) {
    case SqlTokenKind::kWord:
      word(token);
      break;
    case SqlTokenKind::kQuotedName:
      name(token);
      break;
    case SqlTokenKind::kNumber:
    case SqlTokenKind::kString:
    case SqlTokenKind::kBitString:
      value(token);
      break;
    case SqlTokenKind::kParameter:
      parameter(token);
      break;
    case SqlTokenKind::kOperator:
    case SqlTokenKind::kCast:
      op(token);
      break;
    default:
      punctuation(token);
      break;
  }
  if (sign_before) sign_ = false;
  if (uescape_before) uescape_ = false;
  if (token.kind != SqlTokenKind::kWord) last_word_ = SqlWord();
}

// After `SET name TO`: a name there (a tenant's schema, a role) is a value like any other.
void SqlSkeletonBuilder::assigned_value(const SqlToken& token) {
  if (!out_->literals.empty() && out_->literals.back().at + 2 == out_->text.size()) {
    out_->literals.back().end = u32(token.end);
    return;
  }
  literal(u32(token.begin), u32(token.end), "''");
}

void SqlSkeletonBuilder::word(const SqlToken& token) {
  const size_t length = token.end - token.begin;
  const size_t at = out_->text.size();
  emit(sql_.substr(token.begin, length), true);
  char* const lower = out_->text.data() + (out_->text.size() - length);
  for (size_t i = 0; i < length; ++i) {
    if (lower[i] >= 'A' && lower[i] <= 'Z') lower[i] = static_cast<char>(lower[i] + 32);
  }
  const SqlWord known = SqlWord::of({lower, length});
  last_word_ = known;
  if (at == 0) {
    out_->first_word = known;
    set_statement_ = known.is(SqlWord::kSet);
  }
  if (known.is(SqlWord::kConstant) && level().row &&
      (last_.kind == SqlTokenKind::kOpen || last_.kind == SqlTokenKind::kComma)) {
    out_->text.resize(at);
    literal(u32(token.begin), u32(token.end), "''");
    return;
  }
  if (known.is(SqlWord::kUescape)) {
    out_->text.resize(at);
    uescape_ = true;
    return;
  }
  if (!level().cast && !known.is(SqlWord::kConstant)) level().pure = false;
  if (known.is(SqlWord::kResets)) finish_expression();
  if (known.is(SqlWord::kChains)) grow(1);
  if (known.is(SqlWord::kCombines)) ++level().combined;
  if (known.is(SqlWord::kSelect)) level().has_select = true;
  if (known.is(SqlWord::kCase)) open(SqlTokenKind::kWord);
  if (known.is(SqlWord::kEnd) && level().opener == SqlTokenKind::kWord) pop_level();
  if (known.is(SqlWord::kValues)) {
    level().in_values = true;
    level().rows = 0;
  }
  if (set_statement_ && levels_.size() == 1 && known.is(SqlWord::kTo | SqlWord::kRole)) {
    assigned_ = true;
  }
}

void SqlSkeletonBuilder::name(const SqlToken& token) {
  level().pure = false;
  const size_t before = out_->text.size();
  emit(sql_.substr(token.begin, token.end - token.begin), true);
  if (token.value_end == token.end) {  // it has no end, and may hold anything
    out_->text.resize(before);
    out_->torn = true;
  }
}

void SqlSkeletonBuilder::value(const SqlToken& token) {
  if (uescape_) {  // the escape character of a U&'' string belongs to it
    uescape_ = false;
    return;
  }
  if (token.kind == SqlTokenKind::kNumber) {
    if (level().type_numbers && token.end - token.begin <= kMaxTypeNumber) {
      emit(sql_.substr(token.begin, token.end - token.begin), true);
      return;
    }
    size_t begin = token.begin;
    if (sign_) {
      out_->text.resize(before_sign_);
      ends_in_operator_ = false;
      if (last_.end == token.begin) begin = last_.begin;
    }
    literal(u32(begin), u32(token.end), "1");
    return;
  }
  if (token.value_end == token.end) out_->torn = true;
  literal(u32(token.value_begin), u32(token.value_end),
          token.kind == SqlTokenKind::kString ? "''" : "b''");
}

void SqlSkeletonBuilder::literal(uint32_t begin, uint32_t end, std::string_view placeholder) {
  emit(placeholder, true);
  out_->literals.push_back({begin, end, u32(out_->text.size() - placeholder.size())});
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
  emit(sql_.substr(token.begin, token.end - token.begin), true);
}

void SqlSkeletonBuilder::op(const SqlToken& token) {
  const std::string_view text = sql_.substr(token.begin, token.end - token.begin);
  grow(1);
  if (token.kind == SqlTokenKind::kCast) {
    level().cast = true;
    emit(text, false);
    ends_in_operator_ = false;
    return;
  }
  const size_t before = out_->text.size();
  if (ends_in_operator_) out_->text.push_back(' ');
  out_->text += text;
  ends_in_operator_ = true;
  if (is_sign(text)) {
    const bool after_value =
        last_.kind == SqlTokenKind::kQuotedName || last_.kind == SqlTokenKind::kNumber ||
        last_.kind == SqlTokenKind::kString || last_.kind == SqlTokenKind::kBitString ||
        last_.kind == SqlTokenKind::kParameter || last_.kind == SqlTokenKind::kClose ||
        last_.kind == SqlTokenKind::kCloseSquare;
    const bool after_name =
        last_.kind == SqlTokenKind::kWord && !last_word_.is(SqlWord::kUnarySign);
    sign_ = !after_value && !after_name;
    before_sign_ = before;
    if (!sign_) level().pure = false;
    return;
  }
  level().pure = false;
  if (set_statement_ && text == "=" && levels_.size() == 1) assigned_ = true;
}

void SqlSkeletonBuilder::punctuation(const SqlToken& token) {
  switch (token.kind) {
    case SqlTokenKind::kOpen:
    case SqlTokenKind::kOpenSquare:
      open(token.kind);
      break;
    case SqlTokenKind::kClose:
    case SqlTokenKind::kCloseSquare:
      close(token.kind);
      break;
    case SqlTokenKind::kComma:
      comma();
      break;
    case SqlTokenKind::kSemicolon:
      finish_expression();
      assigned_ = set_statement_ = false;
      emit(";", false);
      break;
    default:
      level().pure = false;
      emit(".", false);
      break;
  }
}

void SqlSkeletonBuilder::comma() {
  Level& here = level();
  finish_expression();
  if (here.list) end_element(here);
  here.cast = false;
  emit(",", false);
}

void SqlSkeletonBuilder::open(SqlTokenKind kind) {
  const bool is_case = kind == SqlTokenKind::kWord;
  Level inner;
  inner.opener = kind;
  inner.opened_literals = u32(out_->literals.size());
  if (kind == SqlTokenKind::kOpen) {
    inner.list = last_word_.is(SqlWord::kIn);
    inner.type_numbers = last_word_.is(SqlWord::kTypeWithNumber);
    inner.row = level().in_values;
    if (inner.row && level().rows == 0) {
      level().rows_begin = u32(out_->text.size());
      level().rows_first_literal = u32(out_->literals.size());
    }
  } else if (kind == SqlTokenKind::kOpenSquare) {
    inner.list = last_word_.is(SqlWord::kArray);
  }
  levels_.push_back(inner);
  out_->depth = std::max(out_->depth, u32(levels_.size() - 1));
  if (!is_case) emit(kind == SqlTokenKind::kOpen ? "(" : "[", false);
}

void SqlSkeletonBuilder::close(SqlTokenKind kind) {
  const SqlTokenKind opener =
      kind == SqlTokenKind::kClose ? SqlTokenKind::kOpen : SqlTokenKind::kOpenSquare;
  while (levels_.size() > 1 && level().opener == SqlTokenKind::kWord && opener != level().opener)
    pop_level();  // CASE without END
  if (levels_.size() > 1 && level().opener == opener) {
    if (level().list) end_element(level());
    emit(kind == SqlTokenKind::kClose ? ")" : "]", false);
    pop_level();
    return;
  }
  emit(kind == SqlTokenKind::kClose ? ")" : "]", false);
}

void SqlSkeletonBuilder::pop_level() {
  finish_expression();
  const Level inner = level();
  levels_.pop_back();
  Level& outer = level();
  if (!inner.pure && !inner.list) outer.pure = false;
  if (inner.list && (!inner.pure || !inner.collapses)) outer.pure = false;
  outer.has_select = outer.has_select || inner.has_select;
  grow(inner.highest + inner.combined + 1);
  if (inner.row) end_row(outer, inner);
}

// In `IN (1, 2, 3)` the first element stays and its literal grows over the others', so that two
// lists of different values still differ.
void SqlSkeletonBuilder::end_element(Level& level) {
  const bool pure = level.pure;
  level.pure = true;
  if (++level.elements == 1) {
    level.collapses = pure;
    level.element_end = u32(out_->text.size());
    level.element_literals = u32(out_->literals.size());
    level.element_tokens = out_->tokens;
    return;
  }
  level.collapses = level.collapses && pure;
  if (!level.collapses) return;
  const bool first_has_literals = level.element_literals > level.opened_literals;
  if (first_has_literals) {
    out_->literals[level.element_literals - 1].end = out_->literals.back().end;
  }
  out_->literals.resize(level.element_literals);
  out_->text.resize(level.element_end);
  out_->tokens = level.element_tokens;
  ends_in_operator_ = false;
}

void SqlSkeletonBuilder::end_row(Level& outer, const Level& row) {
  if (!outer.in_values) return;
  ++outer.rows;
  out_->rows = std::max(out_->rows, outer.rows);
  if (outer.rows == 1) {
    outer.rows_collapse = !row.has_select;
    outer.rows_end = u32(out_->text.size());
    outer.rows_literals = u32(out_->literals.size());
    return;
  }
  outer.rows_collapse = outer.rows_collapse && !row.has_select;
  if (!outer.rows_collapse) return;
  const bool first_row_has_literals = outer.rows_literals > outer.rows_first_literal;
  const uint32_t last_end = out_->literals.empty() ? 0 : out_->literals.back().end;
  const bool later_literals = out_->literals.size() > outer.rows_literals;
  out_->text.resize(outer.rows_end);
  out_->literals.resize(outer.rows_literals);
  if (first_row_has_literals && later_literals) out_->literals.back().end = last_end;
  if (outer.rows > 2) {
    out_->tokens = outer.rows_tokens;
    return;
  }
  outer.rows_tokens = out_->tokens;
  const std::string first = out_->text.substr(outer.rows_begin, outer.rows_end - outer.rows_begin);
  out_->text += ',';
  out_->text += first;
  out_->further_rows.push_back({outer.rows_end, u32(out_->text.size())});
  outer.rows_end = u32(out_->text.size());
}

void SqlSkeletonBuilder::grow(uint32_t levels) {
  level().height += levels;
  out_->height = std::max(out_->height, level().height + level().combined);
}

void SqlSkeletonBuilder::finish_expression() {
  level().highest = std::max(level().highest, level().height);
  level().height = 0;
}

void SqlSkeletonBuilder::emit(std::string_view text, bool word_like) {
  ends_in_operator_ = false;
  if (word_like && !out_->text.empty()) {
    const char before = out_->text.back();
    if (is_sql_word_char(before) || before == '"' || before == '\'') out_->text.push_back(' ');
  }
  out_->text += text;
}

}  // namespace ectoscope
