// The name of a problem, the same wherever and whenever it is found again.
#pragma once

#include <string>
#include <string_view>

#include "core/finding.h"
#include "core/query.h"

namespace ectoscope {

/// What makes two occurrences one problem.  Never the application, a route, a trace or a number
/// that a library gave.
struct Identity {
  std::string_view kind;
  std::string_view server;  // the source's configured name
  std::string_view database;
  std::string_view child;   // Query::canonical
  std::string_view parent;  // the same, empty when there is none
};

/// kind + '-' + the first 16 hex digits of SHA-256 over the fields in this order, NUL between them,
/// "-" for a missing parent.
std::string finding_id(const Identity& identity);

/// What reports say of a shape, but for the server's own queryid.
QueryFacts query_facts(const Query& query);

}  // namespace ectoscope
