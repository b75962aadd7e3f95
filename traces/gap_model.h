// How long an application waits between two statements of one request.
//
// A histogram over half octaves from 1 ms up to some 3 s, begun from a broad mixture (12, 60 and
// 300 ms) and fed by links that the keys made certain.  A negative gap (the statements overlapped)
// counts as three times as far: allowed for tasks that run side by side, but dear.
#pragma once

#include <array>

#include "core/time.h"

namespace ectoscope {

class GapModel {
 public:
  GapModel();

  /// Probability density per microsecond that the next statement of a request starts after `gap`.
  [[nodiscard]] double density(Micros gap) const;

  /// The highest that density() gives.
  [[nodiscard]] double highest() const { return highest_; }

  /// Probability that it starts after `gap` or later, if it starts at all.
  [[nodiscard]] double survival(Micros gap) const;

  /// Adds a gap of a link that is right with probability `weight`.
  void learn(Micros gap, double weight);

 private:
  static constexpr size_t kBins = 24;
  static size_t bin(double ms);

  void tabulate();

  std::array<double, kBins> mass_{};
  std::array<double, kBins> low_us_{};  // lower edges
  std::array<double, kBins> width_us_{};
  std::array<double, kBins> density_{};  // of mass_, brought up to date now and then
  std::array<double, kBins> later_{};    // survival at the upper edge
  double total_ = 0;
  double highest_ = 0;
  double untabulated_ = 0;  // weight learned since
};

}  // namespace ectoscope
