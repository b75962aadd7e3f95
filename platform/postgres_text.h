// What libpq says and sends, as text: errors for people, rows of COPY.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/database.h"

namespace ectoscope {

/// Lines joined into one, blanks made single, the password (when not empty) starred out.
std::string one_line(std::string_view message, std::string_view password);

/// Without what stands in double quotes: libpq quotes parts of a DSN that it can't read.
std::string without_quoted(std::string_view message);

/// Of a connection that did not come about.  `message` is libpq's.
DatabaseError connect_error(const std::string& name, std::string_view message,
                            std::string_view password);

/// Of a statement, by its SQLSTATE.
DatabaseError::Reason reason_of(std::string_view sqlstate);

/// Splits one row of COPY's text format.
class CopyRow {
 public:
  /// The fields' views last until the next call and no longer than `line`.
  DatabaseRow split(std::string_view line);

 private:
  std::string unescaped_;
  std::vector<std::optional<std::string_view>> fields_;
};

}  // namespace ectoscope
