// The statement inside an auto_explain entry.
#pragma once

#include <string>
#include <string_view>

namespace ectoscope {

/// The SQL of what follows "plan:", in the text, JSON, YAML and XML formats; empty when it has
/// none.  The view points into `plan` or into `scratch`.
std::string_view query_of_plan(std::string_view plan, std::string& scratch);

/// Where the tree begins in the text format, whose `text` begins with "Query Text: "; npos when it
/// was cut off before.
size_t tree_of_plan(std::string_view text);

}  // namespace ectoscope
