// The names that a statement gives its relations itself.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace ectoscope {

/// What may be renamed without making another statement of it, and what stands in its way.
struct SqlAliases {
  std::set<std::string, std::less<>> names;
  /// Where in the skeleton tables are named: one may be called like an alias.
  std::set<uint32_t> tables;
};

}  // namespace ectoscope
