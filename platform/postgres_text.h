// What libpq and PostgreSQL say, as errors for people.
#pragma once

#include <string>
#include <string_view>

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

/// Of what a statement's error says: neither its severity nor the lines that quote the statement.
std::string_view primary_message(std::string_view message);

}  // namespace ectoscope
