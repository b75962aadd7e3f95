// What was not reported, by how little.
#pragma once

#include <string_view>

#include "core/query.h"

namespace ectoscope {

/// Something that a detector looked at and let go: one threshold was missed, or one rule spared it.
/// Holds no literal.  Texts are static.
struct NearMiss {
  QueryId query = kNoQuery;
  QueryId parent = kNoQuery;  // as the finding would name it, where that is known
  std::string_view option;    // the setting that decided; empty: no setting did
  double value = 0;           // what was seen, in the option's unit
  double wanted = 0;          // what the setting asks for
  std::string_view why;       // a clause: "repeats with different keys in one request"
};

}  // namespace ectoscope
