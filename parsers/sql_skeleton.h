// A statement without what changes from run to run: comments, literals, the length of lists.
//
// The skeleton is SQL that parses to the same tree but for its constants, so it is both the cache's
// key and the text that libpg_query sees: no literal ever gets as far as that.  Spacing and letter
// case stay as written: a program writes a statement the same way each time.
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
  bool torn = false;        // a quote has no end; `text` stops at the first string or that name
  bool abrupt = false;      // a string touches a word, as where a value's own quote ended it
  uint32_t parameters = 0;  // highest $n
  uint32_t rows = 0;        // of the longest VALUES
};

/// Cuts the skeleton after its first string.  Where quotes don't match, what seems to stand outside
/// of strings may well be a string's text.
void stop_at_first_string(SqlSkeleton& skeleton);

/// Threads: one at a time.  Never fails.  Cost: one pass over the statement, and per token next to
/// nothing outside of lists and rows.
class SqlSkeletonBuilder {
 public:
  /// `sql` is at most 4 GiB; what is beyond is left out.
  void build(std::string_view sql, SqlSkeleton& out);

 private:
  // One open bracket; the first is the statement itself.
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
    bool rows_collapse = true;
    uint32_t rows = 0;
    uint32_t row_close = 0;   // in the statement: behind the last row; 0: no row yet
    uint32_t rows_begin = 0;  // in the skeleton: the first row
    uint32_t rows_end = 0;    // in the skeleton: what is kept of the rows
    uint32_t rows_first_literal = 0;
    uint32_t rows_literals = 0;
  };

  void take(const SqlToken& token);
  void word(const SqlToken& token);
  void name(const SqlToken& token);
  void number(const SqlToken& token);
  void string(const SqlToken& token);
  void parameter(const SqlToken& token);
  void op(const SqlToken& token);
  void comma(const SqlToken& token);
  void semicolon();
  void open(const SqlToken& token);
  void close(const SqlToken& token);
  void end_element(const SqlToken& token);
  void end_row(const SqlToken& close, const Level& row);
  void assigned_value(const SqlToken& token);
  void literal(size_t from, size_t to, SqlSpan value, std::string_view placeholder);
  void copy_to(size_t end);
  void impure();
  [[nodiscard]] bool sign_before() const;
  [[nodiscard]] SqlWord word_of(const SqlToken& token) const;

  Level& level() { return levels_.back(); }

  std::string_view sql_;
  SqlSkeleton* out_ = nullptr;
  std::vector<Level> levels_;
  size_t copied_ = 0;     // the statement is in the skeleton up to here
  SqlToken last_;         // the token before, comments left out
  SqlToken before_last_;  // and the one before that
  size_t lists_ = 0;      // open levels that are lists
  size_t rows_ = 0;       // and rows
  bool set_statement_ = false;
  bool assigned_ = false;  // SET name TO: the rest is one value
  bool assigned_begun_ = false;
  bool uescape_ = false;
};

}  // namespace ectoscope
