#include "core/glob.h"

#include <string>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

TEST(Glob, FitsTheWholeText) {
  struct {
    const char* pattern;
    const char* text;
    bool fits;
  } const cases[] = {
      {"posts", "posts", true},
      {"posts", "post", false},
      {"post", "posts", false},
      {"*", "", true},
      {"", "", true},
      {"", "a", false},
      {"Api.*", "Api.show", true},
      {"Api.*", "Api", false},
      {"*.show", "Api.show", true},
      {"a*b*c", "a1b2c", true},
      {"a*b*c", "a1c2b", false},
      {"a*b", "abab", true},
      {"?", "a", true},
      {"?", "", false},
      {"p?sts", "posts", true},
      {"**", "x", true},
      {"Posts", "posts", false},
      {"*a", "aaab", false},
  };
  for (const auto& one : cases)
    EXPECT_EQ(glob_matches(one.pattern, one.text), one.fits) << one.pattern << " " << one.text;
}

TEST(Glob, ManyStarsEndSoon) {
  std::string stars;
  for (int i = 0; i < 50; ++i)
    stars += "a*";
  EXPECT_FALSE(glob_matches(stars + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace ectoscope
