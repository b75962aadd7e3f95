// Alertmanagers that fail, against a poster by hand.
#include "outputs/alertmanager_peer.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "outputs/alertmanager_push.h"
#include "tests/outputs/sample_snapshot.h"

namespace ectoscope {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr seconds kPatience{20};

/// What an Alertmanager was sent, and what it answers.
class FakeAlertmanager {
 public:
  void answers(std::function<Result<HttpReply>(const std::stop_token&)> answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  void answers(int status) {
    answers([status](const std::stop_token&) -> Result<HttpReply> {
      return HttpReply{status, "because\n"};
    });
  }

  /// By the alerts of the request.
  void answers_by(std::function<int(const std::vector<std::string>&)> status) {
    answers([this, status = std::move(status)](const std::stop_token&) -> Result<HttpReply> {
      return HttpReply{status(requests().back()), "because\n"};
    });
  }

  std::unique_ptr<HttpPoster> poster() { return std::make_unique<Poster>(*this); }

  /// The alerts of each request, by `id`.
  [[nodiscard]] std::vector<std::vector<std::string>> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  class Poster final : public HttpPoster {
   public:
    explicit Poster(FakeAlertmanager& owner) : owner_(owner) {}
    Result<HttpReply> post(std::string_view path, std::string_view json,
                           const std::stop_token& give_up) override {
      EXPECT_EQ(path, "/api/v2/alerts");
      std::vector<std::string> ids;
      for (const auto& alert : nlohmann::json::parse(json))
        ids.push_back(alert["labels"]["id"]);
      std::function<Result<HttpReply>(const std::stop_token&)> answer;
      {
        const std::lock_guard lock(owner_.mutex_);
        owner_.requests_.push_back(ids);
        answer = owner_.answer_;
      }
      return answer(give_up);
    }

   private:
    FakeAlertmanager& owner_;
  };

  mutable std::mutex mutex_;
  std::function<Result<HttpReply>(const std::stop_token&)> answer_ =
      [](const std::stop_token&) -> Result<HttpReply> {
    return HttpReply{200, ""};
  };
  std::vector<std::vector<std::string>> requests_;
};

Alerts alerts_of(const std::vector<std::string>& ids) {
  Alerts alerts;
  for (const std::string& id : ids) {
    auto alert = std::make_shared<Alert>();
    alert->labels = std::make_shared<const AlertLabels>(AlertLabels{{"id", id}});
    alerts.push_back(std::move(alert));
  }
  return alerts;
}

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

class PeerTest : public testing::Test {
 protected:
  PeerTest() {
    limits_.batch = 2;
    limits_.first_backoff = milliseconds(1);
    limits_.most_backoff = milliseconds(4);
  }

  AlertmanagerPeer& peer() {
    if (!peer_) {
      peer_ = std::make_unique<AlertmanagerPeer>(
          "http://am:9093", alertmanager_.poster(), limits_, AlertLabels{},
          [this](const std::string& url, const std::string& problem) {
            EXPECT_EQ(url, "http://am:9093");
            told_.push_back(problem);
          });
    }
    return *peer_;
  }

  FakeAlertmanager alertmanager_;
  PeerLimits limits_;
  std::vector<std::string> told_;
  std::unique_ptr<AlertmanagerPeer> peer_;  // goes first
};

TEST_F(PeerTest, SendsInBatches) {
  peer().put(alerts_of({"a", "b", "c", "d", "e"}));
  ASSERT_TRUE(eventually([&] { return peer().state().sent == 5; }));
  EXPECT_THAT(alertmanager_.requests(),
              ElementsAre(ElementsAre("a", "b"), ElementsAre("c", "d"), ElementsAre("e")));
  const AlertmanagerState state = peer().state();
  EXPECT_TRUE(state.up);
  EXPECT_EQ(state.failed, 0U);
  EXPECT_EQ(state.queued, 0U);
}

TEST_F(PeerTest, WhatFailsIsTriedAgainUntilItGetsThrough) {
  struct Case {
    const char* what;
    std::function<Result<HttpReply>(const std::stop_token&)> answer;
    const char* problem;
  };
  const Case cases[] = {
      {"refused",
       [](const std::stop_token&) -> Result<HttpReply> {
         return Error{"http://am:9093: Connection refused"};
       },
       "Connection refused"},
      {"an error of its own",
       [](const std::stop_token&) -> Result<HttpReply> {
         return HttpReply{500, "oh\nno\n"};
       },
       "http://am:9093: answered 500: oh no"},
      {"wrong credentials",
       [](const std::stop_token&) -> Result<HttpReply> {
         return HttpReply{401, ""};
       },
       "answered 401; look at its credentials"},
      {"moved",
       [](const std::stop_token&) -> Result<HttpReply> {
         return HttpReply{302, ""};
       },
       "name the address that it redirects to"},
  };
  uint64_t sent = 0;
  for (const Case& it : cases) {
    alertmanager_.answers(it.answer);
    const uint64_t before = peer().state().failed;
    peer().put(alerts_of({"a"}));
    ASSERT_TRUE(eventually([&] { return peer().state().failed >= before + 3; })) << it.what;
    const AlertmanagerState failing = peer().state();
    EXPECT_FALSE(failing.up) << it.what;
    EXPECT_EQ(failing.queued, 1U) << it.what;
    EXPECT_THAT(failing.problem, HasSubstr(it.problem)) << it.what;
    alertmanager_.answers(200);
    ++sent;
    ASSERT_TRUE(eventually([&] { return peer().state().sent == sent; })) << it.what;
    EXPECT_TRUE(peer().state().up) << it.what;
    EXPECT_EQ(peer().state().problem, "") << it.what;
  }
  EXPECT_THAT(peer().state().dropped, IsEmpty());
  peer_.reset();
  ASSERT_EQ(told_.size(), 8U) << "each trouble once, and each end of one";
  EXPECT_EQ(told_[1], "");
}

TEST_F(PeerTest, OnlyTheAlertThatIsMalformedIsDropped) {
  limits_.batch = 4;
  alertmanager_.answers_by([](const std::vector<std::string>& ids) {
    return std::find(ids.begin(), ids.end(), "bad") == ids.end() ? 200 : 400;
  });
  peer().put(alerts_of({"a", "b", "bad", "d", "e", "f"}));
  ASSERT_TRUE(eventually([&] { return peer().state().queued == 0; }));
  EXPECT_EQ(peer().state().sent, 5U);
  EXPECT_THAT(peer().state().dropped, ElementsAre(Pair("refused", 1U)));
  EXPECT_THAT(alertmanager_.requests(),
              ElementsAre(ElementsAre("a", "b", "bad", "d"), ElementsAre("a", "b"),
                          ElementsAre("bad", "d", "e", "f"), ElementsAre("bad", "d"),
                          ElementsAre("bad"), ElementsAre("d"), ElementsAre("e", "f")));
}

TEST_F(PeerTest, TheOthersDoNotWaitForWhatIsMalformed) {
  limits_.batch = 4;
  limits_.first_backoff = limits_.most_backoff = seconds(3600);
  alertmanager_.answers_by([](const std::vector<std::string>& ids) {
    return std::any_of(ids.begin(), ids.end(), [](const auto& id) { return id < "x"; }) ? 400 : 200;
  });
  peer().put(alerts_of({"a", "b", "c", "d", "e", "f", "x", "y"}));
  peer().drain(std::chrono::steady_clock::now() + kPatience);
  peer().join();
  EXPECT_EQ(peer().state().sent, 2U);
  EXPECT_THAT(peer().state().dropped, ElementsAre(Pair("refused", 6U)));
}

TEST_F(PeerTest, ABatchThatIsTooLargeIsSentInParts) {
  limits_.batch = 4;
  alertmanager_.answers_by(
      [](const std::vector<std::string>& ids) { return ids.size() > 1 ? 413 : 200; });
  peer().put(alerts_of({"a", "b", "c", "d"}));
  ASSERT_TRUE(eventually([&] { return peer().state().sent == 4; }));
  EXPECT_THAT(peer().state().dropped, IsEmpty());
  EXPECT_TRUE(peer().state().up);
}

TEST_F(PeerTest, TheQueueIsBoundedWhileItIsAway) {
  limits_.queue = 3;
  limits_.first_backoff = limits_.most_backoff = seconds(3600);
  alertmanager_.answers(503);
  peer().put(alerts_of({"a"}));
  ASSERT_TRUE(eventually([&] { return !peer().state().up; }));
  peer().put(alerts_of({"b", "c", "d", "e"}));
  EXPECT_EQ(peer().state().queued, 3U);
  EXPECT_THAT(peer().state().dropped, ElementsAre(Pair("queue_full", 2U)));
}

TEST_F(PeerTest, DrainsBeforeItEnds) {
  limits_.first_backoff = limits_.most_backoff = seconds(3600);
  alertmanager_.answers(503);
  peer().put(alerts_of({"a", "b", "c"}));
  ASSERT_TRUE(eventually([&] { return !peer().state().up; }));
  alertmanager_.answers(200);
  peer().drain(std::chrono::steady_clock::now() + kPatience);  // no back-off holds it up
  peer().join();
  EXPECT_EQ(peer().state().sent, 3U);
  EXPECT_THAT(peer().state().dropped, IsEmpty());
}

TEST_F(PeerTest, ADrainIsNotHeldUpByOneThatFails) {
  limits_.first_backoff = limits_.most_backoff = seconds(3600);
  alertmanager_.answers(503);
  peer().put(alerts_of({"a", "b", "c"}));
  peer().drain(std::chrono::steady_clock::now() + std::chrono::hours(1));
  peer().join();
  EXPECT_THAT(peer().state().dropped, ElementsAre(Pair("shutdown", 3U)));
}

TEST_F(PeerTest, ADrainIsNotHeldUpByOneThatHangs) {
  alertmanager_.answers([](const std::stop_token& give_up) -> Result<HttpReply> {
    while (!give_up.stop_requested())
      std::this_thread::sleep_for(milliseconds(1));
    return Error{"given up"};
  });
  peer().put(alerts_of({"a"}));
  ASSERT_TRUE(eventually([&] { return !alertmanager_.requests().empty(); }));
  peer().drain(std::chrono::steady_clock::now() + milliseconds(10));
  peer().join();
  EXPECT_THAT(peer().state().dropped, ElementsAre(Pair("shutdown", 1U)));
}

class RealClock final : public Clock {
 public:
  [[nodiscard]] EventTime wall() const override {
    return std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now());
  }
  [[nodiscard]] Micros steady() const override {
    return std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now().time_since_epoch());
  }
};

class PushTest : public testing::Test {
 protected:
  PushTest() {
    for (const char* url : {"http://first", "http://second"}) {
      HttpTarget target;
      target.url = url;
      options_.alertmanagers.push_back(target);
    }
    options_.limits.first_backoff = options_.limits.most_backoff = milliseconds(1);
    snapshot_ = sample_snapshot();
    board_.publish(snapshot_);
  }

  std::unique_ptr<AlertmanagerPush> push() {
    return std::make_unique<AlertmanagerPush>(
        board_, clock_, options_,
        [this](const HttpTarget& target) { return peers_[target.url].poster(); },
        [](const std::string&, const std::string&) {});
  }

  RealClock clock_;
  SnapshotBoard board_;
  std::shared_ptr<Snapshot> snapshot_;
  std::map<std::string, FakeAlertmanager> peers_;
  AlertingOptions options_;
};

TEST_F(PushTest, EachAlertmanagerIsToldOfAllWhateverTheOtherDoes) {
  peers_["http://first"].answers(500);
  const auto alerting = push();
  alerting->start();
  ASSERT_TRUE(eventually([&] { return alerting->state()->alertmanagers[1].sent >= 1; }));
  ASSERT_TRUE(eventually([&] { return alerting->state()->alertmanagers[0].failed >= 2; }));
  const auto state = alerting->state();
  ASSERT_EQ(state->firing.size(), 1U);
  EXPECT_EQ(state->firing[0]->at("kind"), "n_plus_one_read");
  EXPECT_FALSE(state->alertmanagers[0].up);
  EXPECT_TRUE(state->alertmanagers[1].up);
  alerting->stop(milliseconds(0));
}

TEST_F(PushTest, WhatCameLastIsSentBeforeItStops) {
  snapshot_ = std::make_shared<Snapshot>(*snapshot_);
  snapshot_->findings.clear();
  board_.publish(snapshot_);
  const auto alerting = push();
  alerting->start();
  board_.publish(sample_snapshot());
  alerting->stop(kPatience);
  const auto state = alerting->state();
  for (const AlertmanagerState& peer : state->alertmanagers)
    EXPECT_THAT(peer, testing::Field(&AlertmanagerState::sent, Ge(1U))) << peer.url;
}

TEST_F(PushTest, ANewAlertmanagerIsToldOfWhatFires) {
  const HttpTarget second = options_.alertmanagers[1];
  options_.alertmanagers.pop_back();
  const auto alerting = push();
  alerting->start();
  ASSERT_TRUE(eventually([&] { return alerting->state()->alertmanagers[0].sent >= 1; }));
  options_.alertmanagers = {second};
  alerting->reconfigure(options_);
  ASSERT_TRUE(eventually([&] { return alerting->state()->alertmanagers[0].sent >= 1; }));
  EXPECT_THAT(peers_["http://second"].requests()[0],
              ElementsAre("n_plus_one_read-5f0c2a9e7d3b1c44"));
  alerting->stop(kPatience);
}

}  // namespace
}  // namespace ectoscope
