// Names as an Ecto application would write them, from names of tables and columns.
#pragma once

#include <string>
#include <string_view>

namespace ectoscope {

/// "tenant.order_items" -> "order_items": what the schema calls its source.
std::string_view without_prefix(std::string_view table);

/// "order_items" -> "OrderItem": the schema's module by convention.
std::string schema_module(std::string_view table);

/// ":user_id", or :"odd name" where Elixir needs quotes.
std::string atom(std::string_view name);

/// "user_id:" as a keyword's key, quoted likewise.
std::string keyword(std::string_view name);

/// A variable for many rows of the table: "order_items".
std::string rows_variable(std::string_view table);

/// A variable for one row of the table: "order_item".
std::string row_variable(std::string_view table);

/// A variable for one value of the column: "user_id", "total_cents".
std::string value_variable(std::string_view column);

/// A variable for many values of the column: "user_ids", "emails".
std::string values_variable(std::string_view column);

/// The binding of a query over the table: "o".
std::string binding(std::string_view table);

/// "o.user_id"; field(o, :"odd name") where the dot would not do.
std::string field_of(std::string_view binding, std::string_view column);

/// "user_id" -> "user"; empty when the column is not named like a foreign key.
std::string_view foreign_key_stem(std::string_view column);

}  // namespace ectoscope
