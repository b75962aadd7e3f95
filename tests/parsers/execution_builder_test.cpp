#include "parsers/execution_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/parsers/execution_fixture.h"

namespace ectoscope {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Line {
  int64_t ms;
  const char* message;
  const char* detail = "";
};

struct Case {
  const char* why;
  std::vector<Line> lines;
  std::vector<std::string> expected;
};

const std::vector<Case> kCases = {
    {"parse, bind and execute are one",
     {{100, "duration: 1.500 ms  parse <unnamed>: SELECT $1"},
      {102, "duration: 0.400 ms  bind <unnamed>: SELECT $1", "parameters: $1 = '1'"},
      {103, "duration: 0.100 ms  execute <unnamed>: SELECT $1", "parameters: $1 = '1'"}},
     {"SELECT $1 2000us 98.5-103.0 parsed"}},
    {"a prepared statement's parse goes to its first execute",
     {{100, "duration: 1.000 ms  parse ecto_1: SELECT $1"},
      {102, "duration: 0.400 ms  bind ecto_1: SELECT $1"},
      {103, "duration: 0.100 ms  execute ecto_1: SELECT $1"},
      {112, "duration: 0.400 ms  bind ecto_1: SELECT $1"},
      {113, "duration: 0.100 ms  execute ecto_1: SELECT $1"}},
     {"SELECT $1 1500us 99.0-103.0 named parsed", "SELECT $1 500us 111.6-113.0 named"}},
    {"a parse long ago adds its time, not its start",
     {{100, "duration: 1.000 ms  parse ecto_1: SELECT 1"},
      {5000, "duration: 0.400 ms  bind ecto_1: SELECT 1"},
      {5000, "duration: 0.100 ms  execute ecto_1: SELECT 1"}},
     {"SELECT 1 1500us 4999.6-5000.0 named parsed"}},
    {"two statements prepared before they run",
     {{100, "duration: 1.000 ms  parse a: SELECT 1"},
      {101, "duration: 2.000 ms  parse b: SELECT 2"},
      {102, "duration: 0.100 ms  bind a: SELECT 1"},
      {102, "duration: 0.100 ms  execute a: SELECT 1"},
      {103, "duration: 0.100 ms  bind b: SELECT 2"},
      {103, "duration: 0.100 ms  execute b: SELECT 2"}},
     {"SELECT 1 1200us 99.0-102.0 named parsed", "SELECT 2 2200us 99.0-103.0 named parsed"}},
    {"savepoints between parse and bind, as in the SQL sandbox",
     {{100, "duration: 1.000 ms  parse ecto_1: SELECT 1"},
      {101, "duration: 0.010 ms  statement: RELEASE SAVEPOINT postgrex_query"},
      {102, "duration: 0.400 ms  bind ecto_1: SELECT 1"},
      {103, "duration: 0.100 ms  execute ecto_1: SELECT 1"}},
     {"RELEASE SAVEPOINT postgrex_query 10us 100.9-101.0 simple",
      "SELECT 1 1500us 99.0-103.0 named parsed"}},
    {"chunks of a cursor have their own durations only",
     {{100, "duration: 0.400 ms  bind <unnamed>/6Q: SELECT 1"},
      {101, "duration: 0.100 ms  execute <unnamed>/6Q: SELECT 1"},
      {102, "duration: 0.400 ms  bind other: SELECT 2"},
      {102, "duration: 0.200 ms  execute fetch from <unnamed>/6Q: SELECT 1"},
      {103, "duration: 0.300 ms  execute other: SELECT 2"}},
     {"SELECT 1 500us 99.6-101.0", "SELECT 1 200us 101.8-102.0 fetch",
      "SELECT 2 700us 101.6-103.0 named"}},
    {"a named statement in a portal finds its parse",
     {{100, "duration: 1.000 ms  parse ecto_9: SELECT 1"},
      {101, "duration: 0.400 ms  bind ecto_9/p1: SELECT 1"},
      {102, "duration: 0.100 ms  execute ecto_9/p1: SELECT 1"}},
     {"SELECT 1 1500us 99.0-102.0 named parsed"}},
    {"a bind without execute is dropped at the next bind",
     {{100, "duration: 9.000 ms  bind <unnamed>: SELECT 1"},
      {110, "duration: 0.400 ms  bind <unnamed>: SELECT 2"},
      {111, "duration: 0.100 ms  execute <unnamed>: SELECT 2"}},
     {"SELECT 2 500us 109.6-111.0"}},
    {"only the execute was slow enough to be logged",
     {{300, "duration: 200.000 ms  execute ecto_1: SELECT 1"}},
     {"SELECT 1 200000us 100.0-300.0 named"}},
    {"log_statement with log_duration, simple",
     {{100, "statement: BEGIN"}, {101, "duration: 0.500 ms"}},
     {"BEGIN 500us 100.0-101.0 simple"}},
    {"log_statement with log_duration, extended: parse and bind are bare durations",
     {{100, "duration: 0.300 ms"},
      {101, "duration: 0.200 ms"},
      {101, "execute <unnamed>: SELECT $1", "parameters: $1 = '1'"},
      {102, "duration: 0.500 ms"}},
     {"SELECT $1 1000us 99.7-102.0 parsed"}},
    {"log_statement beside log_min_duration_statement = 0",
     {{100, "duration: 0.300 ms  parse <unnamed>: SELECT 1"},
      {101, "duration: 0.200 ms  bind <unnamed>: SELECT 1"},
      {101, "execute <unnamed>: SELECT 1"},
      {102, "duration: 0.500 ms"}},
     {"SELECT 1 1000us 99.7-102.0 parsed"}},
    {"log_statement alone",
     {{100, "statement: BEGIN"}, {101, "execute ecto_1: SELECT 1"}},
     {"BEGIN 0us 100.0-100.0 simple no_duration", "SELECT 1 0us 101.0-101.0 named no_duration"}},
    {"durations without any statement are no executions",
     {{100, "duration: 0.300 ms"}, {101, "duration: 0.200 ms"}, {102, "duration: 0.2 ms"}},
     {}},
    {"an empty statement is none",
     {{100, "duration: 0.300 ms  statement: "}, {101, "connection authorized: user=x"}},
     {}},
};

TEST(ExecutionBuilder, PairsTheRecordsOfOneBackend) {
  for (const Case& c : kCases) {
    BuilderFixture fixture;
    for (const Line& line : c.lines)
      fixture.log(line.ms, line.message, line.detail);
    EXPECT_THAT(fixture.flushed(), testing::ElementsAreArray(c.expected)) << c.why;
  }
}

TEST(ExecutionBuilder, BackendsDoNotMix) {
  BuilderFixture fixture;
  fixture.log(100, "duration: 0.400 ms  bind <unnamed>: SELECT 1");
  fixture.pid = 11;
  fixture.session = "s.11";
  fixture.log(101, "duration: 0.600 ms  bind <unnamed>: SELECT 2");
  fixture.log(101, "duration: 0.100 ms  execute <unnamed>: SELECT 2");
  fixture.pid = 10;
  fixture.session = "s.10";
  fixture.log(102, "duration: 0.100 ms  execute <unnamed>: SELECT 1");
  EXPECT_THAT(fixture.flushed(),
              ElementsAre("SELECT 2 700us 100.4-101.0", "SELECT 1 500us 99.6-102.0"));
  EXPECT_NE(fixture.out[0].session, fixture.out[1].session);
}

TEST(ExecutionBuilder, APidThatComesAgainIsAnotherSession) {
  BuilderFixture fixture;
  fixture.log(100, "duration: 0.400 ms  bind <unnamed>: SELECT 1");
  fixture.session = "later.10";
  fixture.log(200, "duration: 0.100 ms  execute <unnamed>: SELECT 1");
  EXPECT_THAT(fixture.flushed(), ElementsAre("SELECT 1 100us 199.9-200.0"));
  EXPECT_THAT(fixture.builder.counts(), ElementsAre(testing::Pair("bind_without_execute", 1U)));
}

TEST(ExecutionBuilder, AnUnfinishedBindOfAnotherTransactionIsNotThisOnes) {
  BuilderFixture fixture;
  fixture.log(100, "duration: 150.000 ms  bind ecto_1: SELECT 1");
  fixture.virtual_xid = "3/8";
  fixture.log(321, "duration: 120.000 ms  execute ecto_1: SELECT 1");
  EXPECT_THAT(fixture.flushed(), ElementsAre("SELECT 1 120000us 201.0-321.0 named"));
}

TEST(ExecutionBuilder, CreateIndexConcurrentlyChangesItsVirtualXid) {
  BuilderFixture fixture;
  fixture.log(100, "duration: 0.500 ms  bind <unnamed>: CREATE INDEX CONCURRENTLY");
  fixture.virtual_xid = "3/9";
  fixture.log(900, "duration: 800.000 ms  execute <unnamed>: CREATE INDEX CONCURRENTLY");
  EXPECT_THAT(fixture.flushed(), ElementsAre("CREATE INDEX CONCURRENTLY 800500us 99.5-900.0"));
}

TEST(ExecutionBuilder, AnIdleTransactionMayWaitForItsExecute) {
  BuilderFixture fixture;
  fixture.log(100, "duration: 0.500 ms  bind <unnamed>: SELECT 1");
  fixture.log(9000, "duration: 1.000 ms  execute <unnamed>: SELECT 1");
  EXPECT_THAT(fixture.flushed(), ElementsAre("SELECT 1 1500us 99.5-9000.0"));
}

TEST(ExecutionBuilder, ErrorsEndWhatIsOpenAndAreCounted) {
  BuilderFixture fixture;
  fixture.log(100, "duration: 1.000 ms  parse <unnamed>: SELECT 1");
  fixture.log(100, "duration: 0.400 ms  bind <unnamed>: SELECT 1");
  fixture.error(101, "SELECT 1");
  fixture.log(102, "duration: 0.100 ms  execute <unnamed>: SELECT 1");
  fixture.log(103, "statement: BEGIN");
  fixture.error(104, "BEGIN");
  fixture.log(105, "duration: 0.500 ms");
  EXPECT_THAT(fixture.flushed(), ElementsAre("SELECT 1 100us 101.9-102.0"));
  EXPECT_EQ(fixture.builder.counts().at("failed_statement"), 2U);
}

TEST(ExecutionBuilder, IdentifiesSessionAndTransaction) {
  BuilderFixture fixture;
  fixture.log(100, "duration: 0.1 ms  statement: BEGIN");
  fixture.log(101, "duration: 0.1 ms  statement: COMMIT");
  fixture.virtual_xid = "3/8";
  fixture.log(102, "duration: 0.1 ms  statement: BEGIN");
  fixture.virtual_xid = "3/0";
  fixture.log(103, "duration: 0.1 ms  statement: BEGIN");
  fixture.builder.flush();
  ASSERT_THAT(fixture.out, SizeIs(4));
  EXPECT_NE(fixture.out[0].transaction, 0U);
  EXPECT_EQ(fixture.out[0].transaction, fixture.out[1].transaction);
  EXPECT_NE(fixture.out[0].transaction, fixture.out[2].transaction);
  EXPECT_EQ(fixture.out[3].transaction, 0U) << "no local number: not in a transaction";
  EXPECT_EQ(fixture.out[0].session, fixture.out[3].session);
  EXPECT_EQ(fixture.streams[fixture.out[0].stream].database, "shop");
  EXPECT_EQ(fixture.streams[fixture.out[0].stream].server, "main");
}

TEST(ExecutionBuilder, ParametersComeFromTheExecuteElseFromTheBind) {
  BuilderFixture fixture;
  const auto run = [&](int64_t ms, const char* bind, const char* execute) {
    fixture.log(ms, "duration: 0.1 ms  bind <unnamed>: SELECT a = $1", bind);
    fixture.log(ms, "duration: 0.1 ms  execute <unnamed>: SELECT a = $1", execute);
  };
  run(100, "parameters: $1 = '1'", "parameters: $1 = '7'");
  run(110, "parameters: $1 = '7'", "");
  run(120, "", "");
  fixture.builder.flush();
  ASSERT_THAT(fixture.out, SizeIs(3));
  EXPECT_EQ(fixture.out[0].key, 7);
  EXPECT_EQ(fixture.out[1].key, 7);
  EXPECT_EQ(fixture.out[0].parameters_hash, fixture.out[1].parameters_hash);
  EXPECT_EQ(fixture.out[2].parameters_hash, 0U);
  EXPECT_FALSE(fixture.out[2].has(Execution::kHasParameters));
  EXPECT_EQ(fixture.builder.fidelity().with_parameters, 2U);
  EXPECT_EQ(fixture.builder.fidelity().lacking_parameters, 1U);
}

TEST(ExecutionBuilder, CountsWhatThePrefixShows) {
  BuilderFixture fixture;
  const auto run = [&] { fixture.log(100, "duration: 0.1 ms  statement: SELECT 1"); };
  fixture.virtual_xid = "3/7";
  run();
  fixture.virtual_xid = "";
  run();
  LogRecord bare = fixture.record(101, "duration: 0.1 ms  statement: SELECT 1");
  bare.coarse_time = true;
  bare.application = "";
  fixture.builder.on_record(bare);
  fixture.builder.flush();
  const FidelityCounts& counts = fixture.builder.fidelity();
  EXPECT_EQ(counts.executions, 3U);
  EXPECT_EQ(counts.with_transaction, 1U);
  EXPECT_EQ(counts.with_application, 2U);
  EXPECT_EQ(counts.coarse, 1U);
}

TEST(ExecutionBuilder, DetailsThatComeLateAreJoined) {
  BuilderFixture fixture;
  fixture.log(100, "duration: 0.1 ms  bind <unnamed>: SELECT a = $1");
  fixture.log(100, "duration: 0.1 ms  execute <unnamed>: SELECT a = $1");
  fixture.builder.on_late_part(fixture.record(100, "", "parameters: $1 = '7'"));
  fixture.log(101, "duration: 0.1 ms  bind <unnamed>: SELECT a = $1");
  fixture.builder.on_late_part(fixture.record(101, "", "parameters: $1 = '8'"));
  fixture.log(102, "duration: 0.1 ms  execute <unnamed>: SELECT a = $1");
  fixture.log(103, "execute <unnamed>: SELECT a = $1");
  fixture.builder.on_late_part(fixture.record(103, "", "parameters: $1 = '9'"));
  fixture.builder.flush();
  ASSERT_THAT(fixture.out, SizeIs(3));
  EXPECT_EQ(fixture.out[0].key, 7);
  EXPECT_EQ(fixture.out[1].key, 8);
  EXPECT_EQ(fixture.out[2].key, 9);
  EXPECT_EQ(fixture.builder.fidelity().with_parameters, 3U);
  EXPECT_EQ(fixture.builder.fidelity().lacking_parameters, 0U);
}

TEST(ExecutionBuilder, GivesOutInBatchesAndKeepsTheNewestBack) {
  BuilderFixture fixture;
  for (int i = 0; i < 1023; ++i)
    fixture.log(i, "duration: 0.1 ms  statement: BEGIN");
  EXPECT_THAT(fixture.out, IsEmpty());
  fixture.log(1023, "duration: 0.1 ms  statement: BEGIN");
  EXPECT_THAT(fixture.out, SizeIs(512));
  fixture.builder.hand_out();
  EXPECT_THAT(fixture.out, SizeIs(1024));
  fixture.builder.flush();
  EXPECT_EQ(fixture.batches, 2U) << "an empty batch is not given out";
}

TEST(ExecutionBuilder, RemembersABoundedNumberOfBackends) {
  BuilderFixture fixture({.sessions = 8});
  for (int pid = 1; pid <= 100; ++pid) {
    fixture.pid = pid;
    fixture.session = "s." + std::to_string(pid);
    fixture.log(pid, "duration: 0.1 ms  bind <unnamed>: SELECT 1");
    fixture.log(pid, "statement: BEGIN");
  }
  EXPECT_THAT(fixture.flushed(), SizeIs(100)) << "an evicted backend's statement is given out";
  EXPECT_EQ(fixture.builder.counts().at("bind_without_execute"), 100U);
}

TEST(ExecutionBuilder, WithoutPidTheSessionTellsBackendsApart) {
  BuilderFixture fixture;
  fixture.pid = 0;
  fixture.log(100, "duration: 0.400 ms  bind <unnamed>: SELECT 1");
  fixture.session = "s.11";
  fixture.log(101, "duration: 0.100 ms  execute <unnamed>: SELECT 1");
  EXPECT_THAT(fixture.flushed(), ElementsAre("SELECT 1 100us 100.9-101.0"));
}

TEST(ExecutionBuilder, LeavesItsOwnConnectionsOut) {
  BuilderFixture fixture;
  std::vector<Incident> incidents;
  fixture.builder.send_incidents_to([&](const Incident& one) { incidents.push_back(one); });
  LogRecord own = fixture.record(100, "duration: 900.0 ms  execute <unnamed>: SELECT 1");
  own.application = "ectoscope";
  fixture.builder.on_record(own);
  own.severity = LogSeverity::kError;
  own.sqlstate = "57014";
  own.message = "canceling statement due to statement timeout";
  own.statement = "EXPLAIN (FORMAT JSON) EXECUTE ectoscope_trial(NULL)";
  fixture.builder.on_record(own);
  own.application = "ectoscope-web";
  own.severity = LogSeverity::kLog;
  own.message = "duration: 0.100 ms  execute <unnamed>: SELECT 2";
  fixture.builder.on_record(own);
  EXPECT_THAT(fixture.flushed(), ElementsAre("SELECT 2 100us 99.9-100.0"));
  EXPECT_THAT(incidents, IsEmpty());
  EXPECT_EQ(fixture.builder.counts().at("own_record"), 2U);
  EXPECT_EQ(fixture.builder.fidelity().executions, 1U);
}

TEST(ExecutionBuilder, KnowsAParallelWorkersTemporaryFile) {
  BuilderFixture fixture;
  std::vector<Incident> incidents;
  fixture.builder.send_incidents_to([&](const Incident& one) { incidents.push_back(one); });
  const auto file = [&](int32_t pid, const char* database) {
    LogRecord record =
        fixture.record(100, "temporary file: path \"base/pgsql_tmp/pgsql_tmp1.0\", size 4096");
    record.pid = pid;
    record.session = pid == 10 ? "s.10" : "s.20";
    record.database = database;
    fixture.builder.on_record(record);
  };
  fixture.session = "s.10";
  fixture.log(90, "duration: 0.100 ms  execute <unnamed>: SELECT 1");
  file(10, "shop");
  file(10, "");  // a prefix without %d: its backend runs statements, so it is no worker
  file(20, "");
  fixture.builder.flush();
  ASSERT_THAT(incidents, SizeIs(3));
  EXPECT_FALSE(incidents[0].of_worker);
  EXPECT_FALSE(incidents[1].of_worker);
  EXPECT_TRUE(incidents[2].of_worker);
}

TEST(StreamTable, IsBounded) {
  StreamTable streams(3);
  LogRecord record;
  record.application = "a";
  const StreamId a = streams.intern("main", record);
  record.application = "b";
  EXPECT_NE(streams.intern("main", record, a), a) << "a wrong guess is not believed";
  EXPECT_EQ(streams.intern("main", record), streams.intern("main", record, a));
  record.application = "c";
  EXPECT_EQ(streams.intern("main", record), 0U);
  EXPECT_EQ(streams.overflowed(), 1U);
  EXPECT_EQ(streams[a].application, "a");
}

}  // namespace
}  // namespace ectoscope
