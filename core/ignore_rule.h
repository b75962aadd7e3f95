// What a person decided not to hear of, and why.
#pragma once

#include <optional>
#include <string>

#include "core/time.h"

namespace ectoscope {

/// A finding is covered when it fits every selector that is given; at least one is.
struct IgnoreRule {
  std::string where;        // "file:line": for messages
  std::string id;           // of one finding
  std::string kind;         // "n_plus_one_read"
  std::string table;        // a glob over Finding::tables[0]
  std::string route;        // a glob that each of Finding::routes must fit
  std::string fingerprint;  // of the query at fault
  std::string reason;       // never empty
  std::string owner;
  std::string last_day;  // as written: "2026-12-31"
  std::optional<EventTime>
      expires;  // the moment after last_day, UTC; from then on it hides nothing
};

}  // namespace ectoscope
