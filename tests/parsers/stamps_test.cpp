#include "parsers/stamps.h"

#include <string>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

TEST(Stamps, ReadsWhatPostgresqlPrints) {
  const struct {
    const char* text;
    const char* expected;  // "" when it is no stamp
    size_t length;
    bool coarse;
  } cases[] = {
      {"2026-11-22 08:29:33.354 UTC [1]", "2026-11-22T08:29:33.354000Z", 27, false},
      {"2026-11-22 08:29:33 UTC [1]", "2026-11-22T08:29:33.000000Z", 23, true},
      {"2026-11-22 08:29:33 UTC:10.0.0.1(1)", "2026-11-22T08:29:33.000000Z", 23, true},
      {"2026-11-22 08:29:33.354123 UTC", "2026-11-22T08:29:33.354123Z", 30, false},
      {"2026-11-22 08:29:33.3 UTC", "2026-11-22T08:29:33.300000Z", 25, false},
      {"2026-11-22 08:29:33.354 CET ", "2026-11-22T07:29:33.354000Z", 27, false},
      {"2026-07-01 00:29:33.354 CEST ", "2026-06-30T22:29:33.354000Z", 28, false},
      {"2026-11-22 08:29:33.354 +02 ", "2026-11-22T06:29:33.354000Z", 27, false},
      {"2026-11-22 08:29:33.354 -0330 ", "2026-11-22T11:59:33.354000Z", 29, false},
      {"2026-11-22 08:29:33.354 EST", "2026-11-22T13:29:33.354000Z", 27, false},
      {"2026-11-22 08:29:33.354", "2026-11-22T08:29:33.354000Z", 23, false},
      {"2026-11-22 08:29:33.354 [12]", "2026-11-22T08:29:33.354000Z", 23, false},
      {"2024-02-29 23:59:60 UTC", "2024-03-01T00:00:00.000000Z", 23, true},
      {"2023-02-29 08:29:33 UTC", "", 0, false},
      {"2026-13-22 08:29:33 UTC", "", 0, false},
      {"2026-11-22T08:29:33 UTC", "", 0, false},
      {"2026-11-22 24:29:33 UTC", "", 0, false},
      {"2026-11-22 08:29:3", "", 0, false},
      {"", "", 0, false},
  };
  for (const auto& c : cases) {
    StampReader stamps("UTC");
    const Stamp stamp = stamps.read(c.text);
    EXPECT_EQ(stamp.length, c.length) << c.text;
    if (c.length == 0) continue;
    EXPECT_EQ(format_rfc3339(stamp.at), c.expected) << c.text;
    EXPECT_EQ(stamp.coarse, c.coarse) << c.text;
  }
}

TEST(Stamps, OneReaderKeepsUpWithTheLog) {
  // Neighbours share a second, or a zone, or neither: what is kept of the last must not stick.
  StampReader stamps("UTC");
  const struct {
    const char* text;
    const char* expected;
  } cases[] = {
      {"2026-10-25 02:59:59.999 CEST", "2026-10-25T00:59:59.999000Z"},
      {"2026-10-25 02:00:00.000 CET", "2026-10-25T01:00:00.000000Z"},
      {"2026-10-25 02:00:00.001 CET", "2026-10-25T01:00:00.001000Z"},
      {"2026-10-25 02:00:00.001 UTC", "2026-10-25T02:00:00.001000Z"},
      {"2026-10-25 02:00:00.001", "2026-10-25T02:00:00.001000Z"},
      {"2026-10-25 02:00:00.001 CET", "2026-10-25T01:00:00.001000Z"},
      {"2026-10-25 02:00:0x.001 CET", ""},
      {"2026-10-25 02:00:00.002 CEST", "2026-10-25T00:00:00.002000Z"},
  };
  for (const auto& c : cases) {
    const Stamp stamp = stamps.read(c.text);
    EXPECT_EQ(stamp.length == 0 ? "" : format_rfc3339(stamp.at), c.expected) << c.text;
  }
}

TEST(Stamps, ZonesThatMeanSeveralAreTheDefault) {
  StampReader stamps("+05:30");
  EXPECT_EQ(format_rfc3339(stamps.read("2026-11-22 08:29:33.354 IST").at),
            "2026-11-22T02:59:33.354000Z");
  EXPECT_EQ(format_rfc3339(stamps.read("2026-11-22 08:29:33.354").at),
            "2026-11-22T02:59:33.354000Z");
  EXPECT_EQ(stamps.unknown_zones(), 1U);
  EXPECT_EQ(format_rfc3339(stamps.read("2026-11-22 08:29:33.354 UTC").at),
            "2026-11-22T08:29:33.354000Z");
}

TEST(Stamps, Epoch) {
  EXPECT_EQ(format_rfc3339(StampReader::read_epoch("1795336173.354 [1]").at),
            "2026-11-22T08:29:33.354000Z");
  EXPECT_EQ(StampReader::read_epoch("1795336173.354 [1]").length, 14U);
  EXPECT_TRUE(StampReader::read_epoch("1795336173").coarse);
  EXPECT_EQ(StampReader::read_epoch("12345").length, 0U);
}

TEST(Stamps, Offsets) {
  EXPECT_EQ(utc_offset("+05:30"), std::chrono::minutes(330));
  EXPECT_EQ(utc_offset("-03"), std::chrono::hours(-3));
  for (const char* none : {"", "IST", "CST", "BST", "+5", "+99", "utc", "+05:3", "+0x"})
    EXPECT_EQ(utc_offset(none), std::nullopt) << none;
}

}  // namespace
}  // namespace ectoscope
