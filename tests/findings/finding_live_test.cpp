#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "findings/finding_tracker.h"

namespace ectoscope {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::SizeIs;

const DetectorEntry kSlow = {"slow_query", "Slow query", Occurrence::kExecution,
                             {},           nullptr,      nullptr};

class FindingLiveTest : public testing::Test {
 protected:
  FindingLiveTest() {
    Query query;
    query.canonical = query.text = "select from posts";
    query.tables = {"posts"};
    query_ = queries_.add(std::move(query));
    database_ = statements_.database("shop");
    book_.watch({[this](const std::string& id, const Occurred& occurred) {
                   tracker_.counted(id, occurred);
                 },
                 [this] { return tracker_.make_room(); }});
  }

  /// It occurs at `at`, and is read when the wall's clock says `wall`.
  void occurs(EventTime at, EventTime wall) {
    Observation observation;
    observation.query = query_;
    observation.started_at = observation.ended_at = at;
    observation.statements = observation.repeats = 1;
    book_.add(kSlow, observation, {nullptr, nullptr, stream_, ""});
    statements_.add(database_, query_, Micros(1000));
    tracker_.update(at, wall);
  }

  [[nodiscard]] const TrackedFinding& shown() const {
    shown_ = tracker_.findings();
    EXPECT_THAT(shown_, SizeIs(1));
    return *shown_.at(0);
  }

  const EventTime noon_{hours(500'000)};
  QueryTable queries_{10};
  QueryId query_ = kNoQuery;
  uint32_t database_ = 0;
  Stream stream_{"main", "shop", "postgres", "web", "10.0.0.1"};
  FindingBook book_{queries_};
  StatementBook statements_{"main", queries_};
  FindingTracker tracker_{book_, statements_, queries_, {}};
  mutable std::vector<std::shared_ptr<const TrackedFinding>> shown_;
};

TEST_F(FindingLiveTest, IsLiveWhenItWasNews) {
  occurs(noon_, noon_ + hours(3));
  EXPECT_TRUE(shown().active);
  EXPECT_FALSE(shown().live) << "of an old log";
  occurs(noon_ + hours(3), noon_ + hours(3) + seconds(60));
  EXPECT_TRUE(shown().live);
}

TEST_F(FindingLiveTest, StaysLiveWhenALogIsCaughtUpWith) {
  occurs(noon_, noon_);
  occurs(noon_ + minutes(1), noon_ + minutes(30));
  EXPECT_TRUE(shown().live) << "what alerts goes on alerting";
}

TEST_F(FindingLiveTest, IsNoLongerLiveOnceItIsResolved) {
  occurs(noon_, noon_);
  statements_.add(database_, query_, Micros(1000), 100);
  tracker_.update(noon_ + minutes(20), noon_ + minutes(20));
  EXPECT_FALSE(shown().active);
  EXPECT_FALSE(shown().live);
  occurs(noon_ + minutes(21), noon_ + hours(2));
  EXPECT_TRUE(shown().active);
  EXPECT_FALSE(shown().live) << "back, but by an old log's word";
}

TEST_F(FindingLiveTest, AnotherOwnerShowsAtTheNextUpdate) {
  occurs(noon_, noon_);
  EXPECT_EQ(shown().team, "");
  tracker_.set_owners(OwnerList({{"posts", "", "", "content"}}));
  tracker_.update(noon_, noon_);
  EXPECT_EQ(shown().team, "content");
}

}  // namespace
}  // namespace ectoscope
