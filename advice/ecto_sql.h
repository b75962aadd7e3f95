// The few facts that advice reads from a shape's text, as Ecto writes it.  The text holds no
// literals, and what can't be found is left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ectoscope {

struct Aggregate {
  std::string function;  // "count", "sum", "avg", "min", "max"; empty: an existence check
  std::string column;    // empty for count(*)
};

Aggregate aggregate_of(std::string_view sql);

struct SetColumn {
  std::string column;
  bool from_itself = false;  // "stock" = p0."stock" + $1
};

/// The columns of UPDATE ... SET, in order.
std::vector<SetColumn> set_columns(std::string_view sql);

/// The columns of ON CONFLICT (...); empty when it names a constraint or none.
std::vector<std::string> conflict_target(std::string_view sql);

bool conflict_does_nothing(std::string_view sql);

}  // namespace ectoscope
