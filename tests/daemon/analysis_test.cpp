#include "daemon/analysis.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using namespace std::chrono_literals;

Config config(const std::string& yaml) {
  Result<Config> parsed = parse_config(yaml, "test.yaml", settings_tables());
  EXPECT_TRUE(parsed.ok());
  return std::move(parsed.value());
}

QueryId read_of(QueryTable& queries, const std::string& table) {
  Query query;
  query.operation = Operation::kSelect;
  query.parsed = true;
  query.tables = {table};
  query.text = query.canonical = query.summary = "SELECT " + table;
  return queries.add(std::move(query));
}

class AnalysisTest : public ::testing::Test {
 protected:
  StreamId stream_of(const std::string& application) {
    LogRecord record;
    record.application = application;
    record.database = "shop";
    record.user = "shop";
    return streams_.intern("main", record);
  }

  Execution ran(QueryId query, StreamId stream) {
    Execution execution;
    execution.position = ++position_;
    execution.query = query;
    execution.stream = stream;
    execution.pid = 100;
    execution.started_at = EventTime(std::chrono::seconds(1'700'000'000 + position_));
    execution.ended_at = execution.started_at + 1ms;
    execution.duration = 1ms;
    return execution;
  }

  /// One poll in which each shape took a fifth of a second in the mean.
  DatabaseSamples poll(const std::string& database, const std::vector<QueryId>& shapes) {
    DatabaseSamples all{database, {}};
    for (const QueryId query : shapes) {
      StatementSample sample;
      sample.query = query;
      sample.from = EventTime(1s);
      sample.to = EventTime(31s);
      sample.calls = 10;
      sample.total_time = 2s;
      all.samples.push_back(sample);
    }
    return all;
  }

  /// "SELECT posts", a line a finding of the kind.
  static std::string found(const Analysis& analysis, const std::string& kind) {
    std::string text;
    for (const Finding& finding : analysis.book().findings())
      if (finding.kind == kind) text += finding.query.summary + "\n";
    return text;
  }

  QueryTable queries_{64};
  Routes routes_{64};
  StreamTable streams_;
  uint64_t position_ = 0;
};

TEST_F(AnalysisTest, SamplesAreJudgedAsTheLogsExecutionsOfTheirShape) {
  const QueryId posts = read_of(queries_, "posts");
  const QueryId sums = read_of(queries_, "sums");
  const QueryId unseen = read_of(queries_, "unseen");
  const QueryId archived = read_of(queries_, "archived");
  Analysis analysis(config("overrides:\n"
                           "  - match: {application: reports}\n"
                           "    detectors: {slow_query: {min_duration: 10s}}\n"
                           "  - match: {database: archive*}\n"
                           "    detectors: {slow_query: {enabled: false}}\n"),
                    {queries_, routes_, streams_}, 5);
  const Execution executions[] = {ran(posts, stream_of("shop")), ran(sums, stream_of("reports"))};
  analysis.add(executions, {});
  analysis.add_samples("main", poll("shop", {posts, sums, unseen}));
  analysis.add_samples("main", poll("archive_2025", {archived, posts}));
  EXPECT_EQ(found(analysis, "slow_query"), "SELECT posts\nSELECT unseen\nSELECT posts\n");
}

TEST_F(AnalysisTest, FilesOfAStatementAreOneFindingAndItsNearMiss) {
  const QueryId posts = read_of(queries_, "posts");
  const QueryId users = read_of(queries_, "users");
  NearMissBook near_misses;
  AnalysisWatchers watchers;
  watchers.near_misses = &near_misses;
  Analysis analysis(config(""), {queries_, routes_, streams_}, 5, watchers);
  for (const auto& [query, bytes] :
       {std::pair(posts, 700'000), {posts, 500'000}, {users, 700'000}}) {
    Incident file;
    file.kind = IncidentKind::kTempFile;
    file.query = query;
    file.pid = 100;
    file.stream = stream_of("shop");
    file.at = file.started_at = EventTime(1'700'000'000s);
    file.temp_bytes = static_cast<uint64_t>(bytes);
    analysis.add(file);
  }
  analysis.finish();
  EXPECT_EQ(found(analysis, "disk_spill"), "SELECT posts\n");
  const auto misses = near_misses.misses("disk_spill");
  ASSERT_EQ(misses.size(), 1U);
  EXPECT_EQ(misses[0].nearest.query, users);
  EXPECT_EQ(misses[0].database, "shop");
}

}  // namespace
}  // namespace ectoscope
