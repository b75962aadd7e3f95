#include "daemon/replay.h"

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

using std::chrono::seconds;

EventTime at(std::string_view stamp) {
  return stamp_of_line(std::string(stamp) + " UTC ").value();
}

TEST(StampMover, MovesRecordAndSession) {
  const StampMover mover(seconds(86'400 + 61), 3);
  EXPECT_EQ(mover.moved("2026-12-31 23:59:59.862 UTC [9209] u@d app=psql sess=6b02ac1e.23f9 line=4 "
                        "LOG:  duration: 1.5 ms"),
            "2027-01-02 00:01:00.862 UTC [9209] u@d app=psql sess=6b03fddb.23f9 line=4 "
            "LOG:  duration: 1.5 ms");
  EXPECT_EQ(mover.moved("2026-11-22 08:48:05.425 UTC [21964] LOG:  received SIGHUP"),
            "2026-11-23 08:49:06.425 UTC [21964] LOG:  received SIGHUP");
}

TEST(StampMover, ChangesTraceIdsByThePass) {
  const std::string line =
      "\tSELECT 1 /*traceparent='00-fffe2f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'*/";
  EXPECT_EQ(StampMover(seconds(0), 3).moved(line),
            "\tSELECT 1 /*traceparent='00-00012f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'*/");
}

TEST(StampMover, LeavesWhatIsNoStamp) {
  const StampMover mover(seconds(5), 1);
  for (const char* line : {"", "\t2026-11-22 08:48:05.425 UTC x", "2026-13-22 08:48:05.425 UTC x",
                           "2026-11-22 08:48:05.425 CET x", "2026-11-22 08:48:05 UTC [1] x",
                           "a sess=zz.1", "traceparent='00-", "traceparent='00-zzzz"}) {
    EXPECT_EQ(mover.moved(line), line);
  }
}

TEST(Replay, FirstThePastThenAsTimePasses) {
  Replay replay({"2026-01-01 00:00:00.100 UTC a\n\tgoes on\n2026-01-01 00:00:10.000 UTC b\n",
                 "2020-05-05 12:00:00.000 UTC c\n2020-05-05 12:00:01.000 UTC d\n"});
  const EventTime now = at("2026-11-22 10:00:00.000");
  replay.begin(now);
  // Moved by whole seconds: the last line stands within a second of now.
  EXPECT_EQ(replay.due(now),
            "2026-11-22 09:59:50.100 UTC a\n\tgoes on\n2026-11-22 10:00:00.000 UTC b\n");
  EXPECT_EQ(replay.due(now), "");
  EXPECT_EQ(replay.due(now + seconds(2)), "2026-11-22 10:00:02.000 UTC c\n");
  EXPECT_EQ(replay.due(now + seconds(3)), "2026-11-22 10:00:03.000 UTC d\n");
  EXPECT_EQ(replay.due(now + seconds(6)), "2026-11-22 10:00:05.100 UTC a\n\tgoes on\n");
  EXPECT_EQ(replay.next(), now + seconds(15));
  // A machine that slept for days does not write days of log.
  const std::string after_sleep = replay.due(now + std::chrono::hours(100));
  EXPECT_LT(after_sleep.size(), 200U);
  EXPECT_EQ(after_sleep.substr(0, 19), "2026-11-26 13:59:50");
}

}  // namespace
}  // namespace ectoscope
