#include "advice/ecto_names.h"

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

TEST(EctoNames, FollowEctosConventions) {
  EXPECT_EQ(schema_module("order_items"), "OrderItem");
  EXPECT_EQ(schema_module("people"), "Person");
  EXPECT_EQ(schema_module("tenant_7.order_items"), "OrderItem") << "a prefix is not the name";
  EXPECT_EQ(rows_variable("public.users"), "users");
  EXPECT_EQ(row_variable("users"), "user");
  EXPECT_EQ(values_variable("user_id"), "user_ids");
  EXPECT_EQ(values_variable("email"), "emails");
  EXPECT_EQ(binding("posts"), "p");
  EXPECT_EQ(foreign_key_stem("user_id"), "user");
  EXPECT_EQ(foreign_key_stem("id"), "");
  EXPECT_EQ(foreign_key_stem("_id"), "");
  EXPECT_EQ(foreign_key_stem("paid"), "");
}

TEST(EctoNames, QuoteWhatElixirWouldNotTake) {
  EXPECT_EQ(atom("user_id"), ":user_id");
  EXPECT_EQ(atom("User Id"), ":\"User Id\"");
  EXPECT_EQ(atom("a\"b#{c}\\"), ":\"a\\\"b\\#{c}\\\\\"") << "no interpolation from a name";
  EXPECT_EQ(keyword("user-id"), "\"user-id\":");
  EXPECT_EQ(field_of("u", "email"), "u.email");
  EXPECT_EQ(field_of("u", "E-Mail"), "field(u, :\"E-Mail\")");
  EXPECT_EQ(schema_module("UserAccounts"), "UserAccount");
  EXPECT_EQ(rows_variable("User Accounts"), "user_accounts");
  EXPECT_EQ(schema_module("2fa_tokens"), "Schema2faToken");
  EXPECT_EQ(rows_variable("日本"), "rows");
  EXPECT_EQ(binding("_hidden"), "h");
}

}  // namespace
}  // namespace ectoscope
