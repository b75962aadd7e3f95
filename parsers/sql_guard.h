// How big a tree libpg_query would build of a text: its recursion overruns any stack on a chain of
// operators that is long enough.
#pragma once

#include <cstdint>
#include <string_view>

namespace ectoscope {

struct SqlMeasure {
  uint32_t tokens = 0;
  uint32_t depth = 0;   // of brackets and CASE, at the deepest
  uint32_t height = 0;  // upper bound for the tree's height
};

/// Cost: one pass; memory grows with the depth.
SqlMeasure measure_sql(std::string_view skeleton);

}  // namespace ectoscope
