#include "outputs/alertmanager_book.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "outputs/alertmanager_json.h"
#include "outputs/alertmanager_queue.h"
#include "tests/outputs/sample_snapshot.h"

namespace ectoscope {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class AlertBookTest : public testing::Test {
 protected:
  AlertBookTest() {
    rules_.external_url = "https://ectoscope.example";
    book_.set_rules(rules_);
    snapshot_.ready = true;
    snapshot_.findings = {std::make_shared<TrackedFinding>(live())};
  }

  static TrackedFinding live() {
    TrackedFinding tracked = *sample_tracked();
    tracked.finding.severity = Severity::kWarning;
    tracked.finding.applications = {"shop"};
    return tracked;
  }

  void show(TrackedFinding tracked) {
    snapshot_.findings = {std::make_shared<TrackedFinding>(std::move(tracked))};
  }

  Alerts after(Micros time) {
    now_ += time;
    return book_.look(snapshot_, wall(), now_);
  }
  [[nodiscard]] EventTime wall() const { return sample_time(0) + now_; }

  AlertRules rules_;
  AlertBook book_{AlertRules{}};
  Snapshot snapshot_;
  Micros now_{minutes(100)};
};

TEST_F(AlertBookTest, LabelsIdentifyAndCountNothing) {
  const Alerts alerts = after(seconds(0));
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(*alerts[0]->labels, (AlertLabels{{"alertname", "EctoscopeFinding"},
                                             {"application", "shop"},
                                             {"database", "shop_dev"},
                                             {"id", "n_plus_one_read-5f0c2a9e7d3b1c44"},
                                             {"kind", "n_plus_one_read"},
                                             {"server", "main"},
                                             {"severity", "warning"},
                                             {"table", "posts"},
                                             {"team", "checkout"}}));
  const auto& annotations = alerts[0]->annotations;
  EXPECT_THAT(annotations.at("summary"), HasSubstr("100 times a request"));
  EXPECT_EQ(annotations.at("description"), "Load the posts of all users with one query.");
  EXPECT_THAT(annotations.at("ecto"), HasSubstr("Repo.preload(users, :posts)"));
  EXPECT_EQ(annotations.at("runbook_url"), "https://ectoscope.example/docs/n_plus_one_read");
  EXPECT_EQ(annotations.at("finding_url"),
            "https://ectoscope.example/findings/n_plus_one_read-5f0c2a9e7d3b1c44");
  EXPECT_EQ(alerts[0]->url, annotations.at("finding_url"));
}

TEST_F(AlertBookTest, WhatHasSeveralApplicationsOrNoTeamLacksTheLabel) {
  TrackedFinding tracked = live();
  tracked.finding.applications = {"admin", "shop"};
  tracked.finding.tables.clear();
  tracked.team.clear();
  show(tracked);
  const Alerts alerts = after(seconds(0));
  ASSERT_THAT(alerts, SizeIs(1));
  for (const char* label : {"application", "table", "team"})
    EXPECT_FALSE(alerts[0]->labels->contains(label)) << label;
}

TEST_F(AlertBookTest, SendsAtOnceAndAgainEachInterval) {
  const Alerts first = after(seconds(0));
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0]->starts_at, wall());
  EXPECT_EQ(first[0]->ends_at, wall() + minutes(4)) << "four intervals without news end it";
  EXPECT_THAT(after(seconds(59)), IsEmpty());
  const Alerts again = after(seconds(1));
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0]->starts_at, first[0]->starts_at);
  EXPECT_EQ(again[0]->ends_at, wall() + minutes(4));
}

TEST_F(AlertBookTest, OnlyWhatIsActiveLiveAndSevereFires) {
  struct Case {
    const char* what;
    bool active;
    bool is_live;
    Severity severity;
    size_t alerts;
  };
  const Case cases[] = {
      {"of an old log", true, false, Severity::kCritical, 0},
      {"not there any more", false, false, Severity::kCritical, 0},
      {"too little", true, true, Severity::kInfo, 0},
      {"enough", true, true, Severity::kWarning, 1},
  };
  for (const Case& it : cases) {
    AlertBook book(rules_);
    TrackedFinding tracked = live();
    tracked.active = it.active;
    tracked.live = it.is_live;
    tracked.finding.severity = it.severity;
    show(tracked);
    EXPECT_THAT(book.look(snapshot_, wall(), now_), SizeIs(it.alerts)) << it.what;
    EXPECT_THAT(book.firing(), SizeIs(it.alerts)) << it.what;
  }
}

TEST_F(AlertBookTest, CriticalIsForTheKindsThatTheOperatorNames) {
  TrackedFinding tracked = live();
  tracked.finding.severity = Severity::kCritical;
  show(tracked);
  EXPECT_EQ(after(seconds(0))[0]->labels->at("severity"), "warning");
  rules_.critical = {"n_plus_one_read"};
  book_.set_rules(rules_);
  const Alerts changed = after(seconds(1));
  ASSERT_THAT(changed, SizeIs(2));
  EXPECT_EQ(changed[0]->labels->at("severity"), "critical");
  EXPECT_GT(changed[0]->ends_at, wall());
  EXPECT_EQ(changed[1]->labels->at("severity"), "warning");
  EXPECT_EQ(changed[1]->ends_at, wall()) << "the old one ends";
}

TEST_F(AlertBookTest, SeverityThatWaversDoesNotMakeANewAlert) {
  rules_.critical = {"n_plus_one_read"};
  book_.set_rules(rules_);
  for (const Severity severity : {Severity::kCritical, Severity::kWarning, Severity::kInfo}) {
    TrackedFinding tracked = live();
    tracked.finding.severity = severity;
    show(tracked);
    after(seconds(1));
    ASSERT_THAT(book_.firing(), SizeIs(1));
    EXPECT_EQ(book_.firing()[0]->at("severity"), "critical");
  }
}

TEST_F(AlertBookTest, EndsAreToldForAQuarterOfAnHour) {
  const EventTime began = after(seconds(0))[0]->starts_at;
  TrackedFinding tracked = live();
  tracked.active = tracked.live = false;
  tracked.resolved_at = wall();
  show(tracked);
  const Alerts ended = after(seconds(10));
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_EQ(ended[0]->starts_at, began);
  EXPECT_EQ(ended[0]->ends_at, wall());
  const EventTime end = wall();
  EXPECT_THAT(after(seconds(59)), IsEmpty());
  size_t told = 0;
  for (int i = 0; i < 20; ++i) {
    const Alerts again = after(minutes(1));
    told += again.size();
    for (const auto& alert : again)
      EXPECT_EQ(alert->ends_at, end);
  }
  EXPECT_EQ(told, 14U);
}

TEST_F(AlertBookTest, WhatComesBackIsNotToldAsEnded) {
  after(seconds(0));
  const auto there = snapshot_.findings;
  snapshot_.findings.clear();
  EXPECT_THAT(after(seconds(1)), SizeIs(1));
  snapshot_.findings = there;
  const Alerts back = after(seconds(1));
  ASSERT_THAT(back, SizeIs(1));
  EXPECT_EQ(back[0]->starts_at, wall());
  EXPECT_GT(back[0]->ends_at, wall());
  for (int i = 0; i < 10; ++i) {
    for (const auto& alert : after(minutes(1)))
      EXPECT_GT(alert->ends_at, wall());
  }
}

TEST_F(AlertBookTest, NothingEndsWhileAServerIsReadAgain) {
  after(seconds(0));
  snapshot_.findings.clear();
  snapshot_.ready = false;
  EXPECT_THAT(after(seconds(1)), IsEmpty());
  EXPECT_THAT(book_.firing(), SizeIs(1));
  snapshot_.ready = true;
  EXPECT_THAT(after(seconds(1)), SizeIs(1));
  EXPECT_THAT(book_.firing(), IsEmpty());
}

TEST_F(AlertBookTest, WhatEndedWhileWeWereAwayIsTold) {
  TrackedFinding recent = live();
  recent.active = recent.live = false;
  recent.resolved_at = wall() - minutes(5);
  TrackedFinding old = recent;
  old.finding.id = "n_plus_one_read-00000000000000bb";
  old.resolved_at = wall() - minutes(16);
  snapshot_.findings = {std::make_shared<TrackedFinding>(recent),
                        std::make_shared<TrackedFinding>(old)};
  snapshot_.ready = false;
  EXPECT_THAT(after(seconds(0)), IsEmpty());
  snapshot_.ready = true;
  const Alerts alerts = after(seconds(0));
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0]->labels->at("id"), recent.finding.id);
  EXPECT_EQ(alerts[0]->ends_at, *recent.resolved_at);
  EXPECT_EQ(alerts[0]->starts_at, *recent.resolved_at);
}

TEST_F(AlertBookTest, AnotherTeamIsAnotherAlert) {
  after(seconds(0));
  TrackedFinding tracked = live();
  tracked.team = "content";
  show(tracked);
  const Alerts alerts = after(seconds(1));
  ASSERT_THAT(alerts, SizeIs(2));
  EXPECT_EQ(alerts[0]->labels->at("team"), "content");
  EXPECT_EQ(alerts[1]->labels->at("team"), "checkout");
  EXPECT_EQ(alerts[1]->ends_at, wall());
}

TEST_F(AlertBookTest, WhatIsNoLongerSevereEnoughForTheRulesEnds) {
  ASSERT_THAT(after(seconds(0)), SizeIs(1));
  rules_.least = Severity::kCritical;
  book_.set_rules(rules_);
  const Alerts alerts = after(seconds(1));
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0]->ends_at, wall());
  EXPECT_THAT(book_.firing(), IsEmpty());
}

TEST_F(AlertBookTest, JsonIsWhatAlertmanagerTakes) {
  TrackedFinding tracked = live();
  tracked.finding.database = std::string(kHostile) + "\xff";
  show(tracked);
  const auto json = nlohmann::json::parse(alerts_json(after(seconds(0)), {{"cluster", "eu1"}}));
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["labels"]["cluster"], "eu1");
  EXPECT_EQ(json[0]["labels"]["alertname"], "EctoscopeFinding");
  EXPECT_EQ(json[0]["labels"]["database"], std::string(kHostile) + "\xEF\xBF\xBD");
  EXPECT_EQ(json[0]["startsAt"], format_rfc3339(wall()));
  EXPECT_EQ(json[0]["endsAt"], format_rfc3339(wall() + minutes(4)));
  EXPECT_EQ(json[0]["generatorURL"], json[0]["annotations"]["finding_url"]);
  for (const auto& [name, value] : json[0]["labels"].items())
    EXPECT_NE(value, "") << name;
}

std::shared_ptr<const Alert> alert_of(const std::string& id, EventTime ends_at = sample_time(0)) {
  auto alert = std::make_shared<Alert>();
  alert->labels = std::make_shared<const AlertLabels>(AlertLabels{{"id", id}});
  alert->ends_at = ends_at;
  return alert;
}

std::vector<std::string> ids(const Alerts& alerts) {
  std::vector<std::string> ids;
  for (const auto& alert : alerts)
    ids.push_back(alert->labels->at("id"));
  return ids;
}

TEST(AlertQueue, KeepsTheOrderAndTheNewestState) {
  AlertQueue queue(10);
  for (const char* id : {"c", "a", "b"})
    queue.put(alert_of(id));
  const auto newer = alert_of("a", sample_time(1));
  queue.put(newer);
  EXPECT_THAT(ids(queue.batch(10)), ElementsAre("c", "a", "b"));
  EXPECT_EQ(queue.batch(10)[1], newer);
  EXPECT_THAT(ids(queue.batch(2)), ElementsAre("c", "a"));
  EXPECT_EQ(queue.dropped(), 0U);
}

TEST(AlertQueue, WhatGotANewerStateMeanwhileIsNotDone) {
  AlertQueue queue(10);
  queue.put(alert_of("a"));
  queue.put(alert_of("b"));
  const Alerts sent = queue.batch(10);
  queue.put(alert_of("a", sample_time(1)));
  queue.done(sent);
  EXPECT_THAT(ids(queue.batch(10)), ElementsAre("a"));
  queue.done(queue.batch(10));
  EXPECT_EQ(queue.size(), 0U);
}

TEST(AlertQueue, AtTheBoundTheOldestGoesAndCounts) {
  AlertQueue queue(2);
  for (const char* id : {"a", "b", "c", "b", "d"})
    queue.put(alert_of(id));
  EXPECT_THAT(ids(queue.batch(10)), ElementsAre("c", "d"));
  EXPECT_EQ(queue.dropped(), 2U);
  queue.put(alert_of("a"));
  EXPECT_THAT(ids(queue.batch(10)), ElementsAre("d", "a"));
}

}  // namespace
}  // namespace ectoscope
