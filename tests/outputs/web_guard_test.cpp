#include "outputs/web_guard.h"

#include <chrono>
#include <crypt.h>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using std::chrono::seconds;
using Verdict = WebGuard::Verdict;

/// Of the least cost: tests are to be quick.
std::string hashed(const std::string& password) {
  const auto space = std::make_unique<crypt_data>();
  return crypt_r(password.c_str(), "$2y$04$abcdefghijklmnopqrstuu", space.get());
}

constexpr const char* kAda = "Basic YWRhOnJpZ2h0";         // ada:right
constexpr const char* kAdaWrong = "Basic YWRhOndyb25n";    // ada:wrong
constexpr const char* kNobody = "Basic bm9ib2R5OnJpZ2h0";  // nobody:right

class WebGuardTest : public testing::Test {
 protected:
  WebGuardTest() {
    access_.users["ada"] = hashed("right");
    guard_.protect(access_, nullptr);
  }

  /// Both steps.
  Verdict ask(const char* authorization, const char* address = "10.0.0.1") {
    const Verdict verdict = guard_.look(authorization, address);
    return verdict == Verdict::kAsk ? guard_.check(authorization, address) : verdict;
  }

  std::chrono::steady_clock::time_point now_;
  WebAccess access_;
  WebGuard guard_{[this] { return now_; }};
};

TEST_F(WebGuardTest, LetsInWhoHasThePassword) {
  EXPECT_EQ(guard_.look(kAda, "10.0.0.1"), Verdict::kAsk);
  EXPECT_EQ(guard_.check(kAda, "10.0.0.1"), Verdict::kWelcome);
  EXPECT_EQ(guard_.look(kAda, "10.0.0.2"), Verdict::kWelcome) << "known by now, from anywhere";
}

TEST_F(WebGuardTest, RefusesTheRest) {
  EXPECT_EQ(ask(""), Verdict::kNoPassword);
  EXPECT_EQ(ask("Basic"), Verdict::kNoPassword);
  EXPECT_EQ(ask("Basic YWRh"), Verdict::kNoPassword) << "no colon";
  EXPECT_EQ(ask("Basic !!!!"), Verdict::kNoPassword);
  EXPECT_EQ(ask("Bearer YWRhOnJpZ2h0"), Verdict::kNoPassword);
  EXPECT_EQ(ask(kAdaWrong), Verdict::kWrong);
  EXPECT_EQ(ask(kNobody), Verdict::kWrong);
  EXPECT_EQ(ask("Basic YWRhOg=="), Verdict::kWrong) << "an empty password";
  EXPECT_EQ(ask("Basic YWRhOnJpZ2h0AHdyb25n"), Verdict::kWrong) << "right, zero byte, wrong";
  EXPECT_EQ(ask("basic  YWRhOnJpZ2h0"), Verdict::kWelcome) << "the scheme in any case";
}

TEST_F(WebGuardTest, LongerThanBcryptLooksIsWrong) {
  const std::string longest(72, 'x');
  Passwords passwords;
  passwords.set({{"ada", hashed(longest)}});
  EXPECT_TRUE(passwords.check({"ada", longest}));
  EXPECT_FALSE(passwords.check({"ada", longest + "y"}));
}

TEST_F(WebGuardTest, AnotherHashAsksAgain) {
  EXPECT_EQ(ask(kAda), Verdict::kWelcome);
  access_.users["eve"] = access_.users["ada"];
  guard_.protect(access_, nullptr);
  EXPECT_EQ(guard_.look(kAda, "10.0.0.1"), Verdict::kWelcome) << "ada's is the same";
  access_.users["ada"] = hashed("other");
  guard_.protect(access_, nullptr);
  EXPECT_EQ(ask(kAda), Verdict::kWrong);
  access_.users.erase("ada");
  guard_.protect(access_, nullptr);
  EXPECT_EQ(ask(kAda), Verdict::kWrong);
}

TEST_F(WebGuardTest, GuessingIsSlow) {
  int checked = 0;
  for (int i = 0; i < 50; ++i) {
    if (ask(kAdaWrong) == Verdict::kWrong) ++checked;
  }
  EXPECT_EQ(checked, 10);
  EXPECT_EQ(ask(kAdaWrong), Verdict::kTooMany);
  EXPECT_EQ(ask(kAdaWrong, "10.0.0.2"), Verdict::kWrong) << "others may still try";
  now_ += seconds(5);
  EXPECT_EQ(ask(kAdaWrong), Verdict::kWrong);
  EXPECT_EQ(ask(kAdaWrong), Verdict::kTooMany);
  EXPECT_EQ(ask(kAda, "10.0.0.2"), Verdict::kWelcome);
  EXPECT_EQ(ask(kAda), Verdict::kWelcome) << "who is known is not held up by a neighbour";
}

TEST_F(WebGuardTest, RightPasswordsCostNoTries) {
  for (int i = 0; i < 50; ++i) {
    guard_.protect({}, nullptr);  // forgets
    guard_.protect(access_, nullptr);
    ASSERT_EQ(ask(kAda), Verdict::kWelcome) << i;
  }
}

TEST_F(WebGuardTest, OneNetworkIsOneGuesser) {
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(ask(kAdaWrong, ("2001:db8::" + std::to_string(i)).c_str()), Verdict::kWrong);
  EXPECT_EQ(ask(kAdaWrong, "2001:db8::ffff:1"), Verdict::kTooMany);
  EXPECT_EQ(ask(kAdaWrong, "2001:db8:0:1::1"), Verdict::kWrong);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(ask(kAdaWrong, "::ffff:10.1.1.1"), Verdict::kWrong);
  EXPECT_EQ(ask(kAdaWrong, "10.1.1.1"), Verdict::kTooMany);
}

TEST_F(WebGuardTest, FewWaitForACheck) {
  int asked = 0;
  for (int i = 0; i < 100; ++i) {
    if (guard_.look(kAdaWrong, "10.0.1." + std::to_string(i)) == Verdict::kAsk) ++asked;
  }
  EXPECT_EQ(asked, 32);
  EXPECT_EQ(guard_.check(kAdaWrong, "10.0.1.0"), Verdict::kWrong);
  EXPECT_EQ(guard_.look(kAdaWrong, "10.0.2.1"), Verdict::kAsk);
}

TEST(AttemptLimit, HoldsOnlySoManyAddresses) {
  AttemptLimit limit({2, seconds(1), 3});
  AttemptLimit::Time now;
  for (const char* address : {"10.0.0.1", "10.0.0.2", "10.0.0.3"})
    EXPECT_TRUE(limit.take(address, now));
  EXPECT_FALSE(limit.take("10.0.0.4", now));
  EXPECT_TRUE(limit.take("10.0.0.1", now));
  now += seconds(1);
  EXPECT_TRUE(limit.take("10.0.0.4", now)) << "the others are forgotten once they are full again";
}

TEST(WebGuard, LimitsTheRateOfAll) {
  std::chrono::steady_clock::time_point now;
  WebGuard guard([&now] { return now; });
  EXPECT_EQ(guard.look("", "10.0.0.1"), Verdict::kWelcome);
  WebAccess access;
  access.rate = {std::chrono::milliseconds(100), 3};
  guard.protect(access, nullptr);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(guard.look("", "10.0.0.1"), Verdict::kWelcome);
  EXPECT_EQ(guard.look("", "10.0.0.2"), Verdict::kTooManyAsked);
  now += std::chrono::milliseconds(100);
  EXPECT_EQ(guard.look("", "10.0.0.2"), Verdict::kWelcome);
  EXPECT_EQ(guard.look("", "10.0.0.2"), Verdict::kTooManyAsked);
}

}  // namespace
}  // namespace ectoscope
