#include "findings/identity.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

const Identity kBase = {"n_plus_one_read", "main", "shop", "select * from posts where user_id = $1",
                        "select * from users"};

// Dashboards, ignore files and alerts hold these: if this test fails, they all break.
TEST(FindingId, IsTheSameInEveryRelease) {
  EXPECT_EQ(finding_id(kBase), "n_plus_one_read-5accbb8ded25a132");
}

TEST(FindingId, TellsEachFieldApart) {
  std::set<std::string> ids = {finding_id(kBase)};
  const auto differs = [&](auto change) {
    Identity identity = kBase;
    change(identity);
    return ids.insert(finding_id(identity)).second;
  };
  EXPECT_TRUE(differs([](Identity& it) { it.kind = "n_plus_one_write"; }));
  EXPECT_TRUE(differs([](Identity& it) { it.server = "replica"; }));
  EXPECT_TRUE(differs([](Identity& it) { it.database = "blog"; }));
  EXPECT_TRUE(differs([](Identity& it) { it.child = "select * from posts where id = $1"; }));
  EXPECT_TRUE(differs([](Identity& it) { it.parent = ""; }));
  EXPECT_FALSE(differs([](Identity&) {}));
}

TEST(FindingId, DoesNotRunFieldsTogether) {
  Identity left = kBase;
  left.server = "ab";
  left.database = "c";
  Identity right = kBase;
  right.server = "a";
  right.database = "bc";
  EXPECT_NE(finding_id(left), finding_id(right));
}

TEST(FindingId, AMissingParentIsADash) {
  Identity none = kBase;
  none.parent = "";
  Identity dash = kBase;
  dash.parent = "-";
  EXPECT_EQ(finding_id(none), finding_id(dash));
}

}  // namespace
}  // namespace ectoscope
