#include "advice/inflection.h"

#include <utility>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

constexpr std::pair<const char*, const char*> kWords[] = {
    {"user", "users"},
    {"post", "posts"},
    {"category", "categories"},
    {"day", "days"},
    {"address", "addresses"},
    {"status", "statuses"},
    {"bonus", "bonuses"},
    {"box", "boxes"},
    {"tax", "taxes"},
    {"branch", "branches"},
    {"coach", "coaches"},
    {"dish", "dishes"},
    {"bus", "buses"},
    {"quiz", "quizzes"},
    {"person", "people"},
    {"child", "children"},
    {"woman", "women"},
    {"mouse", "mice"},
    {"movie", "movies"},
    {"cookie", "cookies"},
    {"cache", "caches"},
    {"course", "courses"},
    {"house", "houses"},
    {"warehouse", "warehouses"},
    {"purchase", "purchases"},
    {"database", "databases"},
    {"response", "responses"},
    {"license", "licenses"},
    {"alias", "aliases"},
    {"canvas", "canvases"},
    {"lens", "lenses"},
    {"analysis", "analyses"},
    {"index", "indices"},
    {"hero", "heroes"},
    {"shoe", "shoes"},
    {"size", "sizes"},
    {"leaf", "leaves"},
    {"life", "lives"},
    {"cause", "causes"},
    {"employee", "employees"},
    {"key", "keys"},
    {"company", "companies"},
    {"data", "data"},
    {"news", "news"},
    {"series", "series"},
    {"media", "media"},
    {"order_item", "order_items"},
    {"audit_log", "audit_logs"},
    {"sales_person", "sales_people"},
    {"user_data", "user_data"},
};

TEST(Inflection, GoesBothWays) {
  for (const auto& [one, many] : kWords) {
    EXPECT_EQ(singular(many), one);
    EXPECT_EQ(plural(one), many);
    EXPECT_EQ(singular(one), one) << "a singular stays";
    EXPECT_EQ(plural(many), many) << "a plural stays";
  }
}

TEST(Inflection, TakesOddNames) {
  for (const char* name : {"", "_", "s", "a_", "users_2024", "ÄÖ"}) {
    EXPECT_NO_THROW(singular(name));
    EXPECT_NO_THROW(plural(name));
  }
  EXPECT_EQ(singular(""), "");
}

}  // namespace
}  // namespace ectoscope
