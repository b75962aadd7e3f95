#include "ingest/log_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fake_log_files.h"

namespace ectoscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Micros kSecond{1'000'000};

/// Takes whole lines, as a parser does.
class Lines final : public FollowConsumer {
 public:
  void prime(std::string_view bytes) override { primer += bytes; }
  size_t consume(const FollowedFile& file, std::string_view bytes, bool last) override {
    size_t used = 0;
    for (size_t end = 0; (end = bytes.find('\n', used)) != std::string_view::npos; used = end + 1) {
      if (waits_for_next && !last && end + 1 == bytes.size()) break;
      lines.emplace_back(bytes.substr(used, end - used));
    }
    positions.push_back(file.read_to);
    if (last && used < bytes.size()) {
      lines.emplace_back(bytes.substr(used));
      used = bytes.size();
    }
    return used;
  }
  void skipped(const FollowedFile& /*file*/, uint64_t bytes) override { skipped_bytes += bytes; }

  std::vector<std::string> take() { return std::exchange(lines, {}); }

  bool waits_for_next = false;  // as a parser whose records may have more lines
  std::string primer;
  std::vector<std::string> lines;
  std::vector<uint64_t> positions;
  uint64_t skipped_bytes = 0;
};

/// Lines that no other file begins with.
std::string line(const std::string& text) {
  return text + std::string(300, '.') + "\n";
}

struct LogFollowerTest : testing::Test {
  explicit LogFollowerTest(bool from_end = false) { settings.from_end = from_end; }

  void begin(const std::vector<ResumePoint>& points = {}) {
    settings.pattern = pattern;
    follower = std::make_unique<LogFollower>(files, settings, points);
  }

  /// What is read until nothing is left; each line without its padding.
  std::vector<std::string> read(Micros pass = kSecond) {
    now += pass;
    while (follower->step(now, consumer)) {
    }
    std::vector<std::string> texts = consumer.take();
    for (std::string& text : texts)
      text = text.substr(0, text.find('.'));
    return texts;
  }

  /// Another process goes on; it reads again what came after `from_start` of each file.
  void restart(bool from_start = false) {
    std::vector<ResumePoint> points;
    for (const FollowedFile& file : follower->files())
      points.push_back({file, from_start ? 0 : file.read_to});
    begin(points);
  }

  FakeLogFiles files;
  FollowSettings settings;
  std::string pattern = "pg.log*";
  std::unique_ptr<LogFollower> follower;
  Lines consumer;
  Micros now{0};
};

TEST_F(LogFollowerTest, ReadsWhatIsAppended) {
  files.append("pg.log", line("a"));
  begin();
  EXPECT_THAT(read(), ElementsAre("a"));
  EXPECT_THAT(read(), IsEmpty());
  files.append("pg.log", line("b") + line("c"));
  EXPECT_THAT(read(), ElementsAre("b", "c"));
  EXPECT_EQ(follower->status().problem, "");
  EXPECT_EQ(follower->status().position, follower->status().size);
}

TEST_F(LogFollowerTest, BeginsAtTheEndOfTheNewestBehindAWholeLine) {
  files.append("pg.log.1", line("old"));
  files.append("pg.log", line("a") + "half");
  settings.from_end = true;
  begin();
  EXPECT_THAT(read(Micros(1000)), IsEmpty());
  files.append("pg.log", line(" b"));
  EXPECT_THAT(read(Micros(1000)), ElementsAre("half b"));
  EXPECT_THAT(consumer.primer, HasSubstr("a..."));
}

TEST_F(LogFollowerTest, ReadsAllRotationsOldestFirst) {
  files.append("pg.log.1", line("1"));
  files.append("pg.log", line("2"));
  begin();
  EXPECT_THAT(read(), ElementsAre("1", "2"));
}

TEST_F(LogFollowerTest, FollowsARename) {
  files.append("pg.log", line("a"));
  begin();
  read();
  files.append("pg.log", line("b"));
  files.rename("pg.log", "pg.log.1");
  files.append("pg.log.1", line("c"));
  files.append("pg.log", line("d"));
  EXPECT_THAT(read(), ElementsAre("b", "c", "d"));
  files.append("pg.log.1", line("late"));
  EXPECT_THAT(read(), ElementsAre("late"));
}

TEST_F(LogFollowerTest, FollowsACopyThatIsCut) {
  files.append("pg.log", line("a"));
  begin();
  read();
  files.append("pg.log", line("unread"));
  files.copy("pg.log", "pg.log.1");
  files.cut("pg.log");
  files.append("pg.log", line("c"));
  EXPECT_THAT(read(), ElementsAre("unread", "c"));
  EXPECT_EQ(follower->losses(), 0U);
  EXPECT_THAT(read(), IsEmpty());
}

TEST_F(LogFollowerTest, SeesACutThatOutgrewTheOldPlace) {
  files.append("pg.log", line("a"));
  pattern = "pg.log";
  begin();
  read();
  files.cut("pg.log");
  files.append("pg.log", line("b") + line("c") + line("d"));
  EXPECT_THAT(read(), ElementsAre("b", "c", "d"));
  EXPECT_EQ(follower->losses(), 1U);
}

TEST_F(LogFollowerTest, ACopyIsNotReadTwice) {
  files.append("pg.log", line("a"));
  begin();
  read();
  files.copy("pg.log", "pg.log.bak");
  EXPECT_THAT(read(), IsEmpty());
  restart();
  EXPECT_THAT(read(), IsEmpty());
}

TEST_F(LogFollowerTest, LeavesCompressedFilesAlone) {
  files.append("pg.log", line("a"));
  files.append("pg.log.2.gz", line("x"));
  begin();
  EXPECT_THAT(read(), ElementsAre("a"));
}

TEST_F(LogFollowerTest, TheLastRecordComesBeforeTheNextFilesFirst) {
  consumer.waits_for_next = true;
  settings.scan_every = Micros(1000);
  files.append("pg.log", line("a"));
  begin();
  EXPECT_THAT(read(Micros(1000)), IsEmpty());
  files.append("pg.log", line("b"));
  EXPECT_THAT(read(Micros(1000)), ElementsAre("a"));
  files.rename("pg.log", "pg.log.1");
  files.append("pg.log", line("c") + line("d"));
  EXPECT_THAT(read(Micros(1000)), ElementsAre("b", "c"));
}

TEST_F(LogFollowerTest, TheLastRecordComesFirstAfterARestartToo) {
  consumer.waits_for_next = true;
  files.append("pg.log", line("a") + line("b"));
  begin();
  EXPECT_THAT(read(Micros(1000)), ElementsAre("a"));
  files.rename("pg.log", "pg.log.1");
  files.append("pg.log", line("c") + line("d"));
  restart();
  EXPECT_THAT(read(Micros(1000)), ElementsAre("b", "c"));
}

TEST_F(LogFollowerTest, TwoLogsThatBothGrowWaitForTheirRecords) {
  consumer.waits_for_next = true;
  files.append("pg.log.a", line("1"));
  files.append("pg.log.b", line("2"));
  begin();
  EXPECT_THAT(read(Micros(1000)), IsEmpty());
  files.append("pg.log.a", line("3"));
  files.append("pg.log.b", line("4"));
  EXPECT_THAT(read(Micros(1000)), ElementsAre("1", "2"));
}

TEST_F(LogFollowerTest, GoesOnAfterARestartAndARenameMeanwhile) {
  pattern = "pg.log";
  files.append("pg.log", line("a"));
  begin();
  read();
  files.append("pg.log", line("b"));
  files.rename("pg.log", "pg.log.1");  // which the pattern does not match
  files.append("pg.log", line("c"));
  restart();
  EXPECT_THAT(read(), ElementsAre("b", "c"));
}

TEST_F(LogFollowerTest, GoesOnInTheCopyAfterARestart) {
  files.append("pg.log", line("a"));
  begin();
  read();
  files.append("pg.log", line("b"));
  files.copy("pg.log", "pg.log.1");
  files.cut("pg.log");
  files.append("pg.log", line("c"));
  restart();
  EXPECT_THAT(read(), ElementsAre("b", "c"));
}

TEST_F(LogFollowerTest, GoesOnInTheCopyWithARecordThatWasNotWholeYet) {
  files.append("pg.log", line("a") + line("b") + "ha");
  begin();
  EXPECT_THAT(read(Micros(1000)), ElementsAre("a", "b"));
  files.append("pg.log", line("lf"));
  files.copy("pg.log", "pg.log.1");
  files.cut("pg.log");
  files.append("pg.log", line("c"));
  EXPECT_THAT(read(Micros(1000)), ElementsAre("half", "c"));
  EXPECT_THAT(read(), IsEmpty());
  EXPECT_EQ(follower->losses(), 0U);
}

TEST_F(LogFollowerTest, GoesOnInACopyThatAnEarlierProcessSawBeforeTheCut) {
  files.append("pg.log", line("a"));
  begin();
  read();
  files.copy("pg.log", "pg.log.1");
  read();  // the copy is known now, and that it is one
  files.append("pg.log", line("unread"));
  files.append("pg.log.1", line("unread"));
  files.cut("pg.log");
  files.append("pg.log", line("c"));
  restart();
  EXPECT_THAT(read(), ElementsAre("unread", "c"));
  EXPECT_THAT(read(), IsEmpty());
}

TEST_F(LogFollowerTest, ACopyThatIsEmptyYetAtARestartIsNoLog) {
  files.append("pg.log", line("a"));
  begin();
  read();
  files.append("pg.log.1", "");
  restart();
  EXPECT_THAT(read(), IsEmpty());
  files.append("pg.log.1", line("a"));
  EXPECT_THAT(read(), IsEmpty());
  EXPECT_THAT(read(), IsEmpty());
}

TEST_F(LogFollowerTest, ReadsAgainWhatIsStillNeeded) {
  files.append("pg.log", line("a"));
  begin();
  read();
  restart(true);
  EXPECT_THAT(read(), ElementsAre("a"));
}

TEST_F(LogFollowerTest, AnotherFileOnTheSameInodeIsNew) {
  pattern = "pg.log";
  files.append("pg.log", line("a"));
  begin();
  read();
  files.cut("pg.log");
  files.append("pg.log", line("other") + line("more"));
  restart();
  EXPECT_THAT(read(), ElementsAre("other", "more"));
}

TEST_F(LogFollowerTest, WaitsForTheEndOfALineAndThenForNoLonger) {
  files.append("pg.log", line("a"));
  begin();
  read();
  files.append("pg.log", "half");
  EXPECT_THAT(read(), IsEmpty());
  EXPECT_THAT(read(kSecond * 5), IsEmpty());
  EXPECT_THAT(read(kSecond * 6), ElementsAre("half"));
}

TEST_F(LogFollowerTest, TellsWhatCannotBeReadAndTriesAgain) {
  begin();
  read();
  EXPECT_THAT(follower->status().problem, HasSubstr("no such file yet"));
  files.append("pg.log", line("a"));
  files.forbid("pg.log", true);
  EXPECT_THAT(read(), IsEmpty());
  EXPECT_THAT(follower->status().problem, HasSubstr("permission denied"));
  files.forbid("pg.log", false);
  EXPECT_THAT(read(), ElementsAre("a"));
  EXPECT_EQ(follower->status().problem, "");
  files.make_directory("pg.logs");
  read();
  EXPECT_THAT(follower->status().problem, HasSubstr("not a file"));
}

TEST_F(LogFollowerTest, ThrowsAwayWhatIsTooLong) {
  settings.max_record_bytes = 1000;
  files.append("pg.log", std::string(2500, 'x') + "\n" + line("b"));
  begin();
  read();
  EXPECT_GE(consumer.skipped_bytes, 2000U);
}

}  // namespace
}  // namespace ectoscope
