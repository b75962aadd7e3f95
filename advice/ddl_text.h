// The few facts that advice reads from a DDL statement's text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ectoscope {

/// A statement's words; a bracket with all in it is one.
struct DdlWord {
  std::string text;      // a quoted name without its quotes, a bracket without its ends
  bool quoted = false;   // a name in quotes
  bool bracket = false;  // "(...)"

  /// A bare word, in any case; `word` is in capitals.
  [[nodiscard]] bool is(std::string_view word) const;
};

std::vector<DdlWord> ddl_words(std::string_view sql);

struct IndexDefinition {
  std::string name;
  std::string table;
  std::vector<std::string> columns;  // plain names or expressions, without quotes round names
  std::string method;                // "gin"; empty: btree
  std::string where;                 // empty: none
  bool unique = false;
};

/// Of CREATE INDEX; no table when it is none.
IndexDefinition index_of(std::string_view sql);

/// The name after the first run of words that are `words`, which are bare; empty when there is
/// none.
std::string name_after(const std::vector<DdlWord>& sql, const std::vector<std::string_view>& words);

/// The column of the first ADD COLUMN, ALTER COLUMN or RENAME COLUMN; and its type, if any follows.
struct ColumnChange {
  std::string column;
  std::string type;
};
ColumnChange column_change(const std::vector<DdlWord>& words, std::string_view verb);

/// "a, b" split at commas that stand in no bracket, blanks and quotes round names taken off.
std::vector<std::string> split_list(std::string_view text);

}  // namespace ectoscope
