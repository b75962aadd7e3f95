#include "parsers/comment_tags.h"

#include <string>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

constexpr HashKey kKey{1, 2};
constexpr const char* kHex = "aebca918efde141641f87fb6feeae145";

TEST(Traceparent, FollowsTheStandard) {
  struct {
    const char* why;
    std::string text;
    bool good;
  } const cases[] = {
      {"usual", "00-aebca918efde141641f87fb6feeae145-c4a97228537884cf-01", true},
      {"not sampled", "00-aebca918efde141641f87fb6feeae145-c4a97228537884cf-00", true},
      {"later version", "01-aebca918efde141641f87fb6feeae145-c4a97228537884cf-01", true},
      {"later version, more fields", "cc-aebca918efde141641f87fb6feeae145-c4a97228537884cf-01-x",
       true},
      {"version ff", "ff-aebca918efde141641f87fb6feeae145-c4a97228537884cf-01", false},
      {"version 00, more fields", "00-aebca918efde141641f87fb6feeae145-c4a97228537884cf-01-x",
       false},
      {"later version, no dash", "01-aebca918efde141641f87fb6feeae145-c4a97228537884cf-01x", false},
      {"upper case", "00-AEBCA918EFDE141641F87FB6FEEAE145-c4a97228537884cf-01", false},
      {"one letter upper", "00-aebca918efde141641f87fb6feeae14F-c4a97228537884cf-01", false},
      {"zero trace", "00-00000000000000000000000000000000-c4a97228537884cf-01", false},
      {"zero span", "00-aebca918efde141641f87fb6feeae145-0000000000000000-01", false},
      {"no hex", "00-gebca918efde141641f87fb6feeae145-c4a97228537884cf-01", false},
      {"slash below '0'", "00-/ebca918efde141641f87fb6feeae145-c4a97228537884cf-01", false},
      {"colon above '9'", "00-:ebca918efde141641f87fb6feeae145-c4a97228537884cf-01", false},
      {"backquote below 'a'", "00-`ebca918efde141641f87fb6feeae145-c4a97228537884cf-01", false},
      {"high bytes",
       "00-\xe1"
       "ebca918efde141641f87fb6feeae145-c4a97228537884cf-01",
       false},
      {"bad span", "00-aebca918efde141641f87fb6feeae145-c4a97228537884cg-01", false},
      {"bad flags", "00-aebca918efde141641f87fb6feeae145-c4a97228537884cf-0g", false},
      {"bad version", "0x-aebca918efde141641f87fb6feeae145-c4a97228537884cf-01", false},
      {"dashes moved", "00-aebca918efde141641f87fb6feeae14-5c4a97228537884cf-01", false},
      {"short", "00-aebca918efde141641f87fb6feeae145-c4a97228537884cf-0", false},
      {"empty", "", false},
  };
  for (const auto& one : cases) {
    const TraceId id = parse_traceparent(one.text);
    EXPECT_EQ(id.known(), one.good) << one.why;
    EXPECT_EQ(to_hex(id), one.good ? kHex : std::string(32, '0')) << one.why;
  }
  EXPECT_EQ(to_hex(parse_traceparent("00-0123456789abcdef0f1e2d3c4b5a6978-0000000000000001-01")),
            "0123456789abcdef0f1e2d3c4b5a6978");
}

struct Tags {
  explicit Tags(std::string_view comment) { read(comment); }
  Tags() = default;
  void read(std::string_view comment) { reader.read(comment, tags); }
  std::string route() const { return routes[tags.route]; }

  Routes routes{100};
  CommentTagReader reader{routes, kKey};
  CommentTags tags;
};

TEST(CommentTags, Routes) {
  struct {
    const char* comment;
    const char* route;
  } const cases[] = {
      {"action='index',application='shop',controller='UserController'", "UserController.index"},
      {"controller='Elixir.ShopWeb.UserController',action='show'", "ShopWeb.UserController.show"},
      {"application='shop',route='%2Fusers%2F%3Aid'", "/users/:id"},
      {"controller='x',route='%2Fx'", "/x"},
      {"controller='x'", "x"},
      {"controller:users,action:index", "users.index"},
      {" controller : users , action : index ", "users.index"},
      {"controller=users, action=index", "users.index"},
      {"controller=\"users\",action=\"index\"", "users.index"},
      {"job='Mailer'", "Mailer"},
      {"leading: job=7", ""},  // prose: the value of `leading`
      {"job=7", "7"},
      {"worker='MyApp.Worker'", "MyApp.Worker"},
      {"label='load users'", "load users"},
      {"route='a%2'", "a_2"},
      {"route='a%zz'", "a_zz"},
      {"route='it\\'s'", "it_s"},
      {"route='<b>%00%0a\"'", "_b____"},
      {"route='/users/123/posts/7'", "/users/:id/posts/:id"},
      {"route='/u/123e4567-e89b-12d3-a456-426614174000'", "/u/:id"},
      {"route='a+b'", "a+b"},
      {"application='shop'", ""},
      {"just words, and more: words", ""},
      {"", ""},
      {"=,=,:", ""},
      {"route='", ""},
      {"route='unclosed", "unclosed"},
  };
  for (const auto& one : cases)
    EXPECT_EQ(Tags(one.comment).route(), one.route) << one.comment;
}

TEST(CommentTags, Places) {
  struct {
    const char* comment;
    const char* place;
    const char* tag;
  } const cases[] = {
      {"file='lib%2Fshop%2Fusers.ex',line='12'", "lib/shop/users.ex:12", ""},
      {"file='lib/a.ex',line='12',job='Shop.Mailer'", "lib/a.ex:12", "job"},
      {"file='lib/a.ex'", "lib/a.ex", ""},
      {"file='lib/a.ex:7'", "lib/a.ex:7", ""},
      {"file='lib/a.ex',line='twelve'", "lib/a.ex", ""},
      {"file='lib/a.ex',line='123456789'", "lib/a.ex", ""},
      {"code.filepath='lib/a.ex',code.lineno='3'", "lib/a.ex:3", ""},
      {"source_location:lib/a.ex:33", "lib/a.ex:33", ""},
      {"line:/app/lib/a.ex:12:in f", "/app/lib/a.ex:12", ""},
      {"line='12'", "", ""},
      {"file='<script>',line='1'", "_script_:1", ""},
      {"controller='U',action='i'", "", "controller"},
      {"route='/x'", "", "route"},
  };
  for (const auto& one : cases) {
    const Tags tags(one.comment);
    EXPECT_EQ(tags.routes.whence(tags.tags.route).place, one.place) << one.comment;
    EXPECT_EQ(tags.routes.whence(tags.tags.route).tag, one.tag) << one.comment;
  }
  const Tags longest("file='" + std::string(1000, 'x') + "',line='1234567'");
  EXPECT_EQ(longest.routes.whence(longest.tags.route).place.size(), 160U);
}

TEST(CommentTags, APlaceThatIsOneTooManyLeavesItsRoute) {
  Routes routes(2);
  CommentTagReader reader(routes, kKey);
  CommentTags first;
  reader.read("job='A'", first);
  CommentTags second;
  reader.read("job='A',file='a.ex',line='1'", second);
  EXPECT_EQ(second.route, first.route);
  CommentTags third;
  reader.read("job='B'", third);
  EXPECT_EQ(third.route, 0U);
  EXPECT_EQ(routes.overflowed(), 2U);
}

TEST(CommentTags, RouteIsCapped) {
  const Tags tags("route='" + std::string(100'000, 'x') + "'");
  EXPECT_EQ(tags.route().size(), 120U);
}

TEST(CommentTags, HostileCommentsEnd) {
  std::string keys;
  for (int i = 0; i < 10'000; ++i)
    keys += "k" + std::to_string(i) + "='v',";
  const std::string id = "traceparent='00-" + std::string(kHex) + "-c4a97228537884cf-01'";
  EXPECT_FALSE(Tags(keys + "controller='a',action='b'").tags.route);
  EXPECT_TRUE(Tags(id + "," + keys).tags.trace_id.known());
  EXPECT_TRUE(Tags(std::string(1 << 20, '\'')).tags.commented);
  EXPECT_TRUE(Tags(std::string(1 << 20, '\\')).tags.commented);
}

TEST(CommentTags, TheFirstCommentWins) {
  Tags tags;
  tags.read("traceparent='00-aebca918efde141641f87fb6feeae145-c4a97228537884cf-01'");
  tags.read("route='a',traceparent='00-11111111111111111111111111111111-c4a97228537884cf-01'");
  tags.read("route='b'");
  EXPECT_EQ(to_hex(tags.tags.trace_id), kHex);
  EXPECT_EQ(tags.route(), "a");
}

TEST(CommentTags, ABadTraceparentIsTold) {
  EXPECT_TRUE(Tags("traceparent='00-zz-01'").tags.bad_traceparent);
  EXPECT_TRUE(Tags("traceparent='00-AEBCA918EFDE141641F87FB6FEEAE145-c4a97228537884cf-01'")
                  .tags.bad_traceparent);
  EXPECT_FALSE(Tags("route='x'").tags.bad_traceparent);
  EXPECT_FALSE(Tags("traceparent=''").tags.bad_traceparent);
}

TEST(CommentTags, RequestIds) {
  const Tags a("request_id='F1'");
  EXPECT_EQ(a.tags.request_tag, keyed_hash(kKey, "F1"));
  EXPECT_EQ(Tags("request_id:F1,controller:x").tags.request_tag, a.tags.request_tag);
  EXPECT_EQ(Tags("request_id='F%31'").tags.request_tag, a.tags.request_tag);
  EXPECT_NE(Tags("request_id='F2'").tags.request_tag, a.tags.request_tag);
  EXPECT_EQ(Tags("route='F1'").tags.request_tag, 0U);
}

TEST(CommentTags, Ignore) {
  EXPECT_TRUE(Tags("ectoscope:ignore").tags.ignored);
  EXPECT_TRUE(Tags("N+1 is fine here: ectoscope:ignore, see #12").tags.ignored);
  EXPECT_FALSE(Tags("ectoscope").tags.ignored);
  EXPECT_FALSE(Tags("ignore").tags.ignored);
}

// What is remembered of one comment must not leak into another.
TEST(CommentTags, CommentsOfManyRequests) {
  Tags tags;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 500; ++i) {
      tags.tags = {};
      const std::string route = "r" + std::to_string(i);
      const std::string id = std::to_string(100 + i) + "00000000000000000000000000000";
      tags.read("a='" + route + "',traceparent='00-" + id + "-c4a97228537884cf-01',route='" +
                route + "'");
      EXPECT_EQ(tags.route(), i < 99 ? route : "") << i;  // Routes holds 100
      EXPECT_EQ(to_hex(tags.tags.trace_id), id);
      tags.tags = {};
      tags.read("request_id='" + route + "',traceparent='00-" + id + "-c4a97228537884cf-01'");
      EXPECT_EQ(tags.tags.request_tag, keyed_hash(kKey, route));
    }
  }
}

}  // namespace
}  // namespace ectoscope
