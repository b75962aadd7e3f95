#include <gtest/gtest.h>

#include "core/hash.h"
#include "traces/activity_model.h"
#include "traces/gap_model.h"
#include "traces/key_model.h"
#include "traces/parent_model.h"
#include "traces/pool_model.h"
#include "traces/succession_model.h"

namespace ectoscope {
namespace {

KeyValues key(int64_t value) {
  KeyValues keys;
  keys.value[0] = value;
  keys.present = 1;
  keys.hash = static_cast<uint64_t>(value) + 1;
  return keys;
}

TEST(KeyModel, NeighboursTellOnceTheyComeAgain) {
  KeyModel model;
  EXPECT_NEAR(model.ratio(key(10), key(11)), 1, 0.01) << "nothing is known yet";
  for (int64_t i = 0; i < 50; ++i) {
    model.learn_link(key(i), key(i + 1), 1);
    model.learn_distant(key(i), key(i * 977 % 5000));
  }
  EXPECT_GT(model.ratio(key(500), key(501)), 50);
  EXPECT_LT(model.ratio(key(500), key(900)), 0.3);
}

TEST(KeyModel, WhatStrangersShareTellsNothing) {
  KeyModel model;
  for (int i = 0; i < 200; ++i) {
    model.learn_link(key(7), key(7), 1);
    model.learn_distant(key(7), key(7));
  }
  EXPECT_LT(model.ratio(key(7), key(7)), 3);
}

TEST(KeyModel, KeysThatAreNoIntegersAreEqualOrNot) {
  KeyModel model;
  KeyValues one;
  one.hash = 11;
  KeyValues other;
  other.hash = 12;
  for (int i = 0; i < 100; ++i) {
    model.learn_link(one, one, 1);
    model.learn_distant(one, other);
  }
  EXPECT_GT(model.ratio(one, one), 5);
  EXPECT_LT(model.ratio(one, other), 0.5);
}

TEST(KeyModel, IsBounded) {
  KeyModel model;
  for (int64_t i = 0; i < 100'000; ++i)
    model.learn_distant(key(0), key(i * 7919));
  for (int64_t i = 0; i < 50; ++i)
    model.learn_link(key(i), key(i + 1), 1);
  EXPECT_GT(model.ratio(key(1), key(2)), 20);
}

KeyValues text(uint64_t hash) {
  KeyValues keys;
  keys.hash = hash;
  return keys;
}

// Before executions seconds apart are known, any difference would stand out from chance.
TEST(KeyModel, DifferentTextsAreNoStructure) {
  KeyModel model;
  for (uint64_t i = 1; i <= 100; ++i)
    model.learn_link(text(i), text(i + 1), 1);
  model.refresh();
  EXPECT_EQ(model.structured(), 0);
  for (uint64_t i = 1; i <= 100; ++i)
    model.learn_link(text(i), text(i), 1);
  model.refresh();
  EXPECT_GT(model.structured(), 0.3) << "equal ones are";
}

TEST(KeyValues, DifferencesOfHashesMeanNothing) {
  EXPECT_TRUE(key(1).comparable(key(2)));
  EXPECT_TRUE(text(5).comparable(text(5)));
  EXPECT_FALSE(text(5).comparable(text(6)));
}

TEST(SuccessionModel, APairTellsOnceItCameBefore) {
  SuccessionModel model;
  EXPECT_FALSE(model.known());
  EXPECT_EQ(model.evidence(11, 12), 0);
  model.learn(11, 12, 0.9);
  EXPECT_GT(model.evidence(11, 12), 5);
  EXPECT_EQ(model.evidence(12, 11), 0) << "the other way round";
  EXPECT_EQ(model.evidence(12, 13), 0) << "no other pair of the same difference";
}

TEST(SuccessionModel, WhatStrangersShareTellsNothing) {
  SuccessionModel model;
  model.learn(11, 12, 1);
  for (int i = 0; i < 200; ++i)
    model.learn_distant(11, 12);
  EXPECT_LT(model.evidence(11, 12), 1);
}

TEST(SuccessionModel, EqualKeysAreNotItsBusiness) {
  SuccessionModel model;
  model.learn(11, 11, 1);
  model.learn(0, 11, 1);
  EXPECT_FALSE(model.known());
  EXPECT_EQ(model.evidence(11, 11), 0);
}

TEST(SuccessionModel, IsBoundedAndKeepsWhatComesAgain) {
  SuccessionModel model;
  for (uint64_t i = 1; i < 100'000; ++i) {
    model.learn(mix_hash(i, 1), mix_hash(i, 2), 1);
    model.learn_distant(mix_hash(i, 3), mix_hash(i, 4));
    if (i % 500 == 0) model.learn(7, 9'999, 1);
  }
  EXPECT_GT(model.evidence(7, 9'999), 5);
}

TEST(GapModel, IsADensityThatLearns) {
  GapModel model(GapModel::Steps::kHalfOctaves);
  EXPECT_GT(model.density(Micros(5'000)), model.density(Micros(300'000)));
  EXPECT_NEAR(model.survival(Micros(0)), 1, 0.05);
  const double before = model.density(Micros(250'000));
  for (int i = 0; i < 1000; ++i)
    model.learn(Micros(250'000), 1);
  EXPECT_GT(model.density(Micros(250'000)), 5 * before);
}

TEST(GapModel, TurnsAreToldApartMoreFinely) {
  GapModel times(GapModel::Steps::kHalfOctaves);
  GapModel turns(GapModel::Steps::kQuartersOfOctaves);
  for (int i = 0; i < 200; ++i) {
    times.learn(Micros(10'000), 1);
    turns.learn(Micros(10'000), 1);
  }
  EXPECT_DOUBLE_EQ(times.density(Micros(8'000)), times.density(Micros(10'000)));
  EXPECT_LT(5 * turns.density(Micros(8'000)), turns.density(Micros(10'000)));
  EXPECT_LT(5 * turns.density(Micros(12'000)), turns.density(Micros(11'000)));
  // Each step is found in the same place by its gap and by its edges: no mass is lost.
  double last = 1;
  for (int turn = 0; turn < 4000; ++turn) {
    const double survival = turns.survival(Micros(turn * 1000));
    EXPECT_LE(survival, last + 1e-12) << turn;
    EXPECT_NEAR(last - survival, turn == 0 ? 0 : turns.density(Micros((turn - 1) * 1000)) * 1000,
                turn < 3000 ? 1e-9 : 1)
        << turn;
    last = survival;
  }
}

TEST(GapModel, StampsCutToMillisecondsAreNoOverlap) {
  const GapModel model(GapModel::Steps::kHalfOctaves);
  EXPECT_DOUBLE_EQ(model.density(Micros(-900)), model.density(Micros(0)));
  EXPECT_LT(model.density(Micros(-20'000)), model.density(Micros(0)));
}

TEST(PoolModel, BackendsOfTwoPoolsAreNeverOneRequest) {
  PoolModel model;
  std::vector<uint32_t> backends;
  for (int32_t pid = 500; pid < 510; ++pid)
    backends.push_back(model.number(pid));
  EXPECT_EQ(model.ratio(backends[1], backends[6]), 1) << "nothing is known yet";
  for (size_t i = 0; i < 400; ++i) {
    model.learn(backends[i % 5], backends[(i + 1) % 5], 1);
    model.learn(backends[5 + i % 5], backends[5 + (i + 1) % 5], 1);
  }
  EXPECT_LT(model.ratio(backends[1], backends[6]), 0.2);
  EXPECT_GT(model.ratio(backends[1], backends[2]), 1);
}

TEST(PoolModel, BeginsAnewWhenThereAreTooManyBackends) {
  PoolModel model;
  const uint32_t before = model.generation();
  for (int32_t pid = 0; pid < 1000; ++pid)
    EXPECT_LT(model.number(pid), 256U);
  EXPECT_GT(model.generation(), before);
}

TEST(ActivityModel, CountsWhatEndedAround) {
  ActivityModel model;
  const EventTime start{std::chrono::seconds(100)};
  for (int i = 0; i < 100; ++i)
    model.add(start + Micros(i * 50'000));
  for (int i = 0; i < 500; ++i)
    model.add(start + Micros(5'000'000 + i * 400));
  const auto near = [&](EventTime at) {
    const ActivityModel::Span span = ActivityModel::around(at);
    EXPECT_LE(span.from, at);
    EXPECT_GT(span.to, at);
    return model.between(span.from, span.to);
  };
  EXPECT_EQ(near(start + Micros(2'000'000)), 5U);
  EXPECT_EQ(near(start + Micros(5'100'000)), 500U);
  EXPECT_EQ(model.between(start, start + Micros(1'000'000)), 20U);
  EXPECT_EQ(model.between(EventTime{}, EventTime::max()), 600U);
}

TEST(ActivityModel, ForgetsWhatIsOld) {
  ActivityModel model;
  const EventTime start{std::chrono::seconds(100)};
  model.add(start);
  model.add(start + std::chrono::seconds(5));
  model.add(start + std::chrono::seconds(14));
  EXPECT_EQ(model.between(EventTime{}, EventTime::max()), 2U);
  model.add(start + std::chrono::seconds(100));
  EXPECT_EQ(model.between(EventTime{}, EventTime::max()), 1U);
  model.add(start);  // too old to be counted
  EXPECT_EQ(model.between(EventTime{}, EventTime::max()), 1U);
}

TEST(ParentPrior, NamesRelateShapes) {
  Query posts;
  posts.id = 1;
  posts.operation = Operation::kSelect;
  posts.tables = {"posts"};
  posts.text = "SELECT p0.\"id\", p0.\"user_id\" FROM \"posts\" AS p0 ORDER BY p0.\"id\" LIMIT $1";
  posts.has_limit = true;
  Query comments;
  comments.id = 2;
  comments.operation = Operation::kSelect;
  comments.tables = {"comments"};
  comments.key_form = KeyForm::kSingle;
  comments.key_column = "post_id";
  Query users = comments;
  users.id = 3;
  users.tables = {"users"};
  users.key_column = "id";
  Query tags;
  tags.id = 4;
  tags.operation = Operation::kSelect;
  tags.tables = {"tags"};
  tags.text = "SELECT t0.\"id\" FROM \"tags\" AS t0";
  EXPECT_GT(parent_prior(posts, comments), 3 * parent_prior(tags, comments)) << "post_id, posts";
  EXPECT_GT(parent_prior(posts, users), 2 * parent_prior(tags, users)) << "posts select user_id";
  EXPECT_EQ(parent_prior(posts, posts), 0) << "a shape is not its own parent";
  posts.system = true;
  EXPECT_EQ(parent_prior(posts, comments), 0);
}

}  // namespace
}  // namespace ectoscope
