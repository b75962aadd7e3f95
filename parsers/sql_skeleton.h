// A statement without what changes from run to run: comments, literals, spacing, letter case, the
// length of lists.
//
// The skeleton is SQL that parses to the same tree but for its constants, so it is both the cache's
// key and the text that libpg_query sees: no literal ever gets as far as that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/sql_lexer.h"
#include "parsers/sql_words.h"

namespace ectoscope {

struct SqlLiteral {
  uint32_t begin = 0;  // its value in the statement, without quotes; a list's from first to last
  uint32_t end = 0;
  uint32_t at = 0;  // its placeholder in the skeleton
};

struct SqlSpan {
  uint32_t begin = 0;
  uint32_t end = 0;
};

/// Buffers are kept from one build to the next.
struct SqlSkeleton {
  std::string text;
  std::vector<SqlLiteral> literals;   // in the order of the text
  std::vector<SqlSpan> comments;      // in the statement, without their marks
  std::vector<SqlSpan> further_rows;  // in `text`: `,(...)` that stands for all rows but the first
  SqlWord first_word;
  bool torn = false;        // a quote has no end; `text` stops at the first string or that name
  bool abrupt = false;      // a string touches a word, as where a value's own quote ended it
  uint32_t parameters = 0;  // highest $n
  uint32_t rows = 0;        // of the longest VALUES
  uint32_t tokens = 0;      // what libpg_query would have to read
  uint32_t depth = 0;       // of brackets and CASE, at the deepest
  uint32_t height = 0;      // upper bound for the height of an expression's tree
};

/// Cuts the skeleton after its first string.  Where quotes don't match, what seems to stand outside
/// of strings may well be a string's text.
void stop_at_first_string(SqlSkeleton& skeleton);

/// Threads: one at a time.  Never fails.  Cost: one pass over the statement.
class SqlSkeletonBuilder {
 public:
  /// `sql` is at most 4 GiB; what is beyond is left out.
  void build(std::string_view sql, SqlSkeleton& out);

 private:
  // One open bracket (or CASE); the first is the statement itself.
  struct Level {
    SqlTokenKind opener = SqlTokenKind::kEnd;
    bool list = false;          // IN (...), ARRAY[...]: equal elements collapse
    bool row = false;           // of a VALUES
    bool type_numbers = false;  // varchar(...)
    bool pure = true;           // the element so far holds values only
    bool cast = false;          // a type's name may follow
    bool collapses = true;
    bool has_select = false;
    uint32_t elements = 0;
    uint32_t element_end = 0;       // in the skeleton: where the first element ends
    uint32_t element_literals = 0;  // how many literals there were then
    uint32_t opened_literals = 0;   // and when the bracket opened
    uint32_t element_tokens = 0;
    bool in_values = false;
    bool rows_collapse = true;
    uint32_t rows = 0;
    uint32_t rows_begin = 0;  // in the skeleton: the first row
    uint32_t rows_end = 0;    // in the skeleton: what is kept of the rows
    uint32_t rows_first_literal = 0;
    uint32_t rows_literals = 0;
    uint32_t rows_tokens = 0;
    uint32_t height = 0;    // of the expression being read
    uint32_t highest = 0;   // of those complete
    uint32_t combined = 0;  // joins and set operations
  };

  void take(const SqlToken& token);
  void word(const SqlToken& token);
  void name(const SqlToken& token);
  void value(const SqlToken& token);
  void literal(uint32_t begin, uint32_t end, std::string_view placeholder);
  void parameter(const SqlToken& token);
  void op(const SqlToken& token);
  void punctuation(const SqlToken& token);
  void comma();
  void open(SqlTokenKind kind);
  void close(SqlTokenKind kind);
  void pop_level();
  void end_element(Level& level);
  void end_row(Level& outer, const Level& row);
  void assigned_value(const SqlToken& token);
  void grow(uint32_t levels);
  void finish_expression();
  void emit(std::string_view text, bool word_like);

  Level& level() { return levels_.back(); }

  std::string_view sql_;
  SqlSkeleton* out_ = nullptr;
  std::vector<Level> levels_;
  SqlToken last_;      // the token before, comments left out
  SqlWord last_word_;  // of `last_` where it is a word
  bool ends_in_operator_ = false;
  bool set_statement_ = false;
  bool assigned_ = false;  // SET name TO: the rest is one value
  bool uescape_ = false;
  bool sign_ = false;       // `last_` is a sign that belongs to a number
  size_t before_sign_ = 0;  // the skeleton's size before it
};

}  // namespace ectoscope
