// PostgreSQL's stamps to event time.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"

namespace ectoscope {

struct Stamp {
  EventTime at;
  bool coarse = false;  // whole seconds
  size_t length = 0;    // bytes read; 0: there is no stamp
};

/// Offset from UTC of "UTC", "CEST", "+02", "-0330", "+05:30"; none when the name is not known.
/// An abbreviation that several countries use (IST, CST, BST ...) is not known either.
std::optional<std::chrono::seconds> utc_offset(std::string_view zone);

/// Reads stamps as %m, %t and %n print them.  Consecutive stamps mostly share their second and
/// zone, so the last of each is kept.
///
/// Threads: one at a time.
class StampReader {
 public:
  /// `default_zone` is for stamps whose zone has no name, or one that utc_offset() does not know. A
  /// default that is itself unknown counts as UTC.
  explicit StampReader(std::string_view default_zone);

  /// `2026-11-22 08:29:33.354 UTC` at the front of the text, with or without a fraction and zone.
  Stamp read(std::string_view text);

  /// `1795336173.354`, as %n has it.
  static Stamp read_epoch(std::string_view text);

  /// How often a zone was met that had to be taken for the default.
  [[nodiscard]] uint64_t unknown_zones() const { return unknown_zones_; }

 private:
  bool learn_second(const char* text);
  size_t read_zone(std::string_view text);

  std::chrono::seconds default_offset_;
  std::array<char, 19> second_text_{};  // "2026-11-22 08:29:33"
  int64_t second_ = 0;                  // as if it were UTC
  std::string zone_;
  std::chrono::seconds offset_{0};
  uint64_t unknown_zones_ = 0;
};

}  // namespace ectoscope
