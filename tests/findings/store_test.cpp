#include "findings/store.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sqlite3.h>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fake_clock.h"

namespace ectoscope {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Micros kHour{3'600'000'000};
constexpr Micros kKeep = 24 * 30 * kHour;

StoredFinding finding(const std::string& id, uint64_t seen = 1) {
  StoredFinding finding;
  finding.id = id;
  finding.kind = "n_plus_one_read";
  finding.server = "main";
  finding.database = "shop";
  finding.query = "SELECT posts";
  finding.parent = "SELECT users";
  finding.totals = "totals";
  finding.live = true;
  finding.last_seen = EventTime(std::chrono::seconds(100));
  finding.at_first = {1, 2, 3};
  finding.at_last = {seen, 5, 6};
  return finding;
}

StoredServer changes(std::vector<StoredFinding> findings) {
  StoredServer server;
  server.server = "main";
  SourceCheckpoint source;
  source.pattern = "/var/log/pg.log*";
  source.files.push_back({3, {8, 9}, 256, 77, 1000, 400, true, false});
  source.uncounted = {500, 700};
  source.open = {900};
  source.writes = {900, 950};
  server.sources = {source};
  server.findings = std::move(findings);
  StoredStatement statement;
  statement.database = "shop";
  statement.text = "SELECT posts";
  statement.durations.count = 12;
  server.statements = {statement};
  return server;
}

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string name = (fs::temp_directory_path() / "ectoscope-store-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) folder_ = name;
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  std::unique_ptr<Store> open() {
    return std::make_unique<Store>(state(), kKeep, clock_,
                                   [this](const std::string& what) { told_.push_back(what); });
  }
  [[nodiscard]] std::string state() const { return folder_ / "state"; }
  [[nodiscard]] std::string file() const { return state() + "/ectoscope.db"; }

  void write(const std::string& bytes) const {
    fs::create_directories(state());
    std::ofstream(file(), std::ios::binary) << bytes;
  }

  /// Rows of the first column; of a store that nobody has open.
  std::vector<std::string> ask(const std::string& sql) const {
    std::vector<std::string> rows;
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open(file().c_str(), &handle), SQLITE_OK);
    const auto each = [](void* into, int /*columns*/, char** values, char** /*names*/) {
      static_cast<std::vector<std::string>*>(into)->emplace_back(values[0] ? values[0] : "");
      return 0;
    };
    char* error = nullptr;
    sqlite3_exec(handle, sql.c_str(), each, &rows, &error);
    EXPECT_EQ(error, nullptr) << error;
    sqlite3_free(error);
    sqlite3_close(handle);
    return rows;
  }

  [[nodiscard]] std::vector<std::string> set_aside() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(state())) {
      const std::string name = entry.path().filename();
      if (name.find(".damaged-") != std::string::npos) names.push_back(name);
    }
    return names;
  }

  FakeClock clock_;
  fs::path folder_;
  std::vector<std::string> told_;
};

TEST_F(StoreTest, AnotherProcessReadsWhatOneCommitted) {
  open()->commit(changes({finding("a"), finding("b")}));
  const StoredServer stored = open()->load("main");
  ASSERT_THAT(stored.sources, SizeIs(1));
  const SourceCheckpoint& source = stored.sources[0];
  EXPECT_EQ(source.pattern, "/var/log/pg.log*");
  ASSERT_THAT(source.files, SizeIs(1));
  EXPECT_EQ(source.files[0].number, 3);
  EXPECT_EQ(source.files[0].identity, (FileIdentity{8, 9}));
  EXPECT_EQ(source.files[0].resume_at, 400U);
  EXPECT_TRUE(source.files[0].cut);
  EXPECT_THAT(source.uncounted, ElementsAre(500, 700));
  EXPECT_THAT(source.open, ElementsAre(900));
  EXPECT_THAT(source.writes, ElementsAre(900, 950));
  ASSERT_THAT(stored.findings, SizeIs(2));
  EXPECT_EQ(stored.findings[0].id, "a");
  EXPECT_EQ(stored.findings[0].parent, "SELECT users");
  EXPECT_TRUE(stored.findings[0].live);
  EXPECT_EQ(stored.findings[0].at_last.parent, 5U);
  ASSERT_THAT(stored.statements, SizeIs(1));
  EXPECT_EQ(stored.statements[0].durations.count, 12U);
  EXPECT_THAT(open()->load("other").findings, IsEmpty());
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(StoreTest, WhatIsForgottenIsGoneWithItsHistory) {
  StoredServer first = changes({finding("a"), finding("b")});
  first.hours = {{"a", clock_.wall(), 1, 2, 3, Micros(4), Micros(5)}};
  auto store = open();
  store->commit(first);
  store->acknowledge("a", {clock_.wall(), "ada", "known"});
  StoredServer second = changes({});
  second.forgotten = {"a"};
  store->commit(second);
  store.reset();
  const StoredServer stored = open()->load("main");
  ASSERT_THAT(stored.findings, SizeIs(1));
  EXPECT_EQ(stored.findings[0].id, "b");
  EXPECT_THAT(ask("SELECT finding FROM history"), IsEmpty());
  EXPECT_THAT(ask("SELECT finding FROM acknowledgement"), IsEmpty());
}

TEST_F(StoreTest, HistoryIsKeptForItsTimeAndNoLonger) {
  auto store = open();
  StoredServer first = changes({finding("a")});
  first.hours = {{"a", clock_.wall() - kKeep + kHour, 7, 0, 0, {}, {}}};
  store->commit(first);
  EXPECT_THAT(store->hours("a"), SizeIs(1));
  clock_.advance(2 * kHour);
  StoredServer second = changes({finding("a")});
  second.hours = {{"a", clock_.wall(), 8, 0, 0, {}, {}}};
  store->commit(second);
  ASSERT_THAT(store->hours("a"), SizeIs(1));
  EXPECT_EQ(store->hours("a")[0].occurrences, 8U);
  store.reset();
  EXPECT_THAT(ask("SELECT occurrences FROM history"), ElementsAre("8"));
}

TEST_F(StoreTest, AnAcknowledgementStaysWithItsFinding) {
  auto store = open();
  store->commit(changes({finding("a")}));
  store->acknowledge("a", {clock_.wall(), "ada", "known"});
  store.reset();
  const StoredServer stored = open()->load("main");
  ASSERT_TRUE(stored.findings.at(0).acknowledged.has_value());
  EXPECT_EQ(stored.findings[0].acknowledged->by, "ada");
  EXPECT_EQ(stored.findings[0].acknowledged->at, clock_.wall());
}

TEST_F(StoreTest, WhatIsNoDatabaseIsSetAside) {
  write(std::string(20'000, 'x'));
  auto store = open();
  ASSERT_THAT(told_, SizeIs(1));
  EXPECT_THAT(told_[0], HasSubstr("damaged; it was set aside as " + file() + ".damaged-"));
  EXPECT_THAT(set_aside(), SizeIs(1)) << "whoever wants to can look at it";
  store->commit(changes({finding("a")}));
  EXPECT_EQ(store->problem(), "");
  store.reset();
  EXPECT_THAT(open()->load("main").findings, SizeIs(1));
}

TEST_F(StoreTest, PagesThatWereOverwrittenAreFoundAtTheLatestWhenTheyAreRead) {
  std::vector<StoredFinding> many;
  many.reserve(500);
  for (int i = 0; i < 500; ++i)
    many.push_back(finding("finding-" + std::to_string(i)));
  open()->commit(changes(many));
  {
    std::fstream damaged(file(), std::ios::binary | std::ios::in | std::ios::out);
    const auto page = static_cast<std::streamoff>(4096);
    damaged.seekp(page);
    const auto rest = static_cast<std::streamoff>(fs::file_size(file())) - page;
    damaged << std::string(static_cast<size_t>(rest), '\xA5');
  }
  auto store = open();
  EXPECT_THAT(store->load("main").findings, IsEmpty());
  EXPECT_THAT(set_aside(), SizeIs(1));
  EXPECT_GE(store->renewals(), 1U) << "so that all is stored again";
  store->commit(changes({finding("a")}));
  EXPECT_EQ(store->problem(), "");
  store.reset();
  EXPECT_THAT(open()->load("main").findings, SizeIs(1));
}

TEST_F(StoreTest, AnEarlierFormIsTakenOver) {
  fs::create_directories(state());
  ask("CREATE TABLE checkpoint (server TEXT NOT NULL, source TEXT NOT NULL, files TEXT NOT NULL,"
      " uncounted BLOB NOT NULL, open BLOB NOT NULL, PRIMARY KEY (server, source)) STRICT,"
      " WITHOUT ROWID;"
      "CREATE TABLE finding (id TEXT NOT NULL PRIMARY KEY, server TEXT NOT NULL, kind TEXT NOT "
      "NULL,"
      " database TEXT NOT NULL, query TEXT NOT NULL, parent TEXT NOT NULL, totals TEXT NOT NULL,"
      " life TEXT NOT NULL) STRICT, WITHOUT ROWID;"
      "CREATE TABLE history (finding TEXT NOT NULL, hour INTEGER NOT NULL, occurrences INTEGER NOT"
      " NULL, statements INTEGER NOT NULL, excess INTEGER NOT NULL, database_us INTEGER NOT NULL,"
      " saved_us INTEGER NOT NULL, PRIMARY KEY (finding, hour)) STRICT, WITHOUT ROWID;"
      "CREATE TABLE statement (server TEXT NOT NULL, database TEXT NOT NULL, text TEXT NOT NULL,"
      " executions INTEGER NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (server, database, text))"
      " STRICT, WITHOUT ROWID;"
      "CREATE TABLE acknowledgement (finding TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL,"
      " who TEXT NOT NULL, why TEXT NOT NULL) STRICT, WITHOUT ROWID;"
      "INSERT INTO checkpoint VALUES ('main', 'pg.log', '[]', x'01', x'02');"
      "PRAGMA user_version = 1");
  auto store = open();
  const StoredServer stored = store->load("main");
  ASSERT_THAT(stored.sources, SizeIs(1));
  EXPECT_THAT(stored.sources[0].open, ElementsAre(2));
  EXPECT_THAT(stored.sources[0].writes, IsEmpty());
  store->commit(changes({finding("a")}));
  EXPECT_EQ(store->problem(), "");
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(StoreTest, ALaterFormIsLeftAloneAndTold) {
  open()->commit(changes({finding("a")}));
  ask("PRAGMA user_version = 99");
  auto store = open();
  ASSERT_THAT(told_, SizeIs(1));
  EXPECT_THAT(told_[0], HasSubstr("written by a newer ectoscope (form 99"));
  EXPECT_THAT(store->problem(), HasSubstr("run that one, or move the file away"));
  store->commit(changes({finding("b")}));
  EXPECT_FALSE(store->flush());
  EXPECT_THAT(store->load("main").findings, SizeIs(1)) << "what waits, in memory";
  store.reset();
  EXPECT_THAT(ask("SELECT id FROM finding"), ElementsAre("a"));
  EXPECT_THAT(set_aside(), IsEmpty());
}

TEST_F(StoreTest, OnlyOneProcessHasIt) {
  auto store = open();
  store->commit(changes({}));
  const auto other = open();
  EXPECT_TRUE(other->in_use());
  EXPECT_THAT(other->problem(), HasSubstr("another ectoscope uses it"));
  EXPECT_FALSE(store->in_use());
}

TEST_F(StoreTest, WhatCannotBeWrittenWaitsAndIsWrittenLater) {
  std::ofstream(state()) << "a file where the folder should be";
  auto store = open();
  ASSERT_THAT(told_, SizeIs(1));
  EXPECT_THAT(told_[0], HasSubstr("choose another state.directory"));
  store->commit(changes({finding("a", 10)}));
  clock_.advance(Micros(2'000'000));
  store->commit(changes({finding("a", 20), finding("b")}));
  EXPECT_THAT(store->problem(), HasSubstr("cannot be made"));
  EXPECT_THAT(told_, SizeIs(1)) << "once";
  fs::remove(state());
  store->commit(changes({finding("c")}));
  EXPECT_NE(store->problem(), "") << "the next try is not due";
  clock_.advance(Micros(30'000'000));
  store->commit(changes({}));
  EXPECT_EQ(store->problem(), "");
  ASSERT_THAT(told_, SizeIs(2));
  EXPECT_THAT(told_[1], HasSubstr("written again"));
  store.reset();
  const StoredServer stored = open()->load("main");
  ASSERT_THAT(stored.findings, SizeIs(3));
  EXPECT_EQ(stored.findings[0].at_last.child, 20U) << "the later state alone";
}

TEST_F(StoreTest, WhatCouldNotBeReadAtTheStartIsGoneOnFromLater) {
  open()->commit(changes({finding("a", 10)}));
  const fs::path away = folder_ / "away";
  fs::rename(state(), away);
  std::ofstream(state()) << "nothing is mounted here";
  auto store = open();
  EXPECT_THAT(store->load("main").findings, IsEmpty());
  store->commit(changes({finding("a", 1)}));
  fs::remove(state());
  fs::rename(away, state());
  EXPECT_FALSE(store->found_late());
  clock_.advance(Micros(30'000'000));
  store->retry();
  EXPECT_TRUE(store->found_late());
  EXPECT_EQ(store->problem(), "");
  store->commit(changes({finding("a", 2)}));
  ASSERT_THAT(store->load("main").findings, SizeIs(1));
  EXPECT_EQ(store->load("main").findings[0].at_last.child, 10U) << "not what is in memory";
  store->take_up();
  store->commit(changes({finding("a", 11)}));
  store.reset();
  EXPECT_EQ(open()->load("main").findings.at(0).at_last.child, 11U);
}

TEST_F(StoreTest, DeploysOfAFileThatCouldNotBeReadAtTheStartAreKept) {
  const auto versions = [](const Store& store) {
    std::string all;
    for (const Deploy& deploy : store.deploys())
      all += deploy.version + " ";
    return all;
  };
  open()->deployed({clock_.wall(), "1.0", "shop"});
  const fs::path away = folder_ / "away";
  fs::rename(state(), away);
  std::ofstream(state()) << "nothing is mounted here";
  auto store = open();
  clock_.advance(Micros(60'000'000));
  store->deployed({clock_.wall(), "1.1", "shop"});
  fs::remove(state());
  fs::rename(away, state());
  clock_.advance(Micros(60'000'000));
  store->retry();
  EXPECT_EQ(versions(*store), "1.1 1.0 ");
  store.reset();
  EXPECT_EQ(versions(*open()), "1.1 1.0 ");
}

TEST_F(StoreTest, HistoryInMemoryIsKeptForItsTimeAndNoLonger) {
  Store store("", kKeep, clock_, [](const std::string& /*what*/) {});
  StoredServer first = changes({finding("a")});
  first.hours = {{"a", clock_.wall() - kKeep + kHour, 7, 0, 0, {}, {}}};
  store.commit(first);
  EXPECT_THAT(store.hours("a"), SizeIs(1));
  clock_.advance(2 * kHour);
  StoredServer second = changes({finding("a")});
  second.hours = {{"a", clock_.wall(), 8, 0, 0, {}, {}}};
  store.commit(second);
  ASSERT_THAT(store.hours("a"), SizeIs(1));
  EXPECT_EQ(store.hours("a")[0].occurrences, 8U);
}

TEST_F(StoreTest, WithoutAFolderItKeepsWhatItWasTold) {
  Store store("", kKeep, clock_, [](const std::string& /*what*/) {});
  store.commit(changes({finding("a")}));
  EXPECT_THAT(store.load("main").findings, SizeIs(1));
  EXPECT_TRUE(store.flush());
  EXPECT_EQ(store.problem(), "");
}

}  // namespace
}  // namespace ectoscope
