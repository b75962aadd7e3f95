// How long an application waits between two statements of one request.
//
// A histogram from 1 ms up to some 3 s, begun from a broad mixture (12, 60 and 300 ms) and fed by
// links that the keys made certain.  A negative gap (the statements overlapped)
// counts as three times as far: allowed for tasks that run side by side, but dear.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "core/time.h"

namespace ectoscope {

class GapModel {
 public:
  /// Times differ by half and more from one statement to the next; turns in a queue hardly do.
  enum class Steps : uint8_t { kHalfOctaves, kQuartersOfOctaves };

  explicit GapModel(Steps steps);

  struct Reading {
    double density = 0;
    double survival = 0;
  };

  /// Both of the below for one gap.
  [[nodiscard]] Reading read(Micros gap) const {
    const double ms = spread_ms(gap);
    const size_t at = bin(ms);
    const double left = std::clamp(low_us_[at] + width_us_[at] - ms * 1000, 0.0, width_us_[at]);
    return {density_[at], later_[at] + density_[at] * left};
  }

  /// Probability density per microsecond that the next statement of a request starts after `gap`.
  [[nodiscard]] double density(Micros gap) const { return density_[bin(spread_ms(gap))]; }

  /// The highest that density() gives.
  [[nodiscard]] double highest() const { return highest_; }

  /// Probability that it starts after `gap` or later, if it starts at all.
  [[nodiscard]] double survival(Micros gap) const { return read(gap).survival; }

  /// Adds a gap of a link that is right with probability `weight`.
  void learn(Micros gap, double weight);

 private:
  static constexpr size_t kHalves = 24;
  static constexpr size_t kQuarters = 44;

  static double spread_ms(Micros gap) {
    const double ms = to_ms(gap);
    if (ms >= 0) return ms;
    return ms > -1 ? 0 : -3 * ms;  // stamps are cut to milliseconds
  }

  // Without a logarithm: this runs for every pair.
  [[nodiscard]] size_t bin(double ms) const {
    if (ms < 1) return 0;
    const auto whole = static_cast<uint64_t>(ms);
    const auto octave = static_cast<size_t>(std::bit_width(whole | 1U)) - 1;
    const auto floor = static_cast<double>(uint64_t{1} << octave);
    if (steps_ == Steps::kHalfOctaves) {
      const size_t half = ms * ms >= 2 * floor * floor ? 1 : 0;
      return std::min(1 + 2 * octave + half, kHalves - 1);
    }
    if (octave < 2) return whole;  // no step is under one
    const auto quarter = static_cast<size_t>(4 * (ms / floor - 1));
    return std::min(4 * (octave - 1) + quarter, kQuarters - 1);
  }

  [[nodiscard]] double lower_edge_ms(size_t bin) const;
  void tabulate();

  Steps steps_;
  size_t bins_;
  std::array<double, kQuarters> mass_{};
  std::array<double, kQuarters> low_us_{};  // lower edges
  std::array<double, kQuarters> width_us_{};
  std::array<double, kQuarters> density_{};  // of mass_, brought up to date now and then
  std::array<double, kQuarters> later_{};    // survival at the upper edge
  double total_ = 0;
  double highest_ = 0;
  double untabulated_ = 0;  // weight learned since
};

}  // namespace ectoscope
