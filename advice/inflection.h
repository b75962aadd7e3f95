// English number, for guessing names of schemas and associations from names of tables.
#pragma once

#include <string>
#include <string_view>

namespace ectoscope {

/// "order_items" -> "order_item", "people" -> "person".  Only the last part of a snake_case name
/// changes; a word that is no plural stays as it is.
std::string singular(std::string_view name);

/// "order_item" -> "order_items", "category" -> "categories".  A plural stays one.
std::string plural(std::string_view name);

}  // namespace ectoscope
