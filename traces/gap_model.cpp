#include "traces/gap_model.h"

#include <algorithm>
#include <cmath>

namespace ectoscope {
namespace {

constexpr double kPriorWeight = 60;  // observations that the prior mixture counts for
constexpr double kTabulate = 50;     // tables lag by 2 % of the mass at most
constexpr double kMemory = 4000;     // then old observations count half

double prior_density(double ms) {
  return 0.6 * std::exp(-ms / 12) / 12 + 0.3 * std::exp(-ms / 60) / 60 +
         0.1 * std::exp(-ms / 300) / 300;
}

}  // namespace

double GapModel::lower_edge_ms(size_t bin) const {
  if (steps_ == Steps::kHalfOctaves)
    return bin == 0 ? 0 : std::pow(2.0, static_cast<double>(bin - 1) / 2);
  if (bin < 4) return static_cast<double>(bin);
  return static_cast<double>((4 + bin % 4) << (bin / 4 - 1));
}

GapModel::GapModel(Steps steps)
    : steps_(steps), bins_(steps == Steps::kHalfOctaves ? kHalves : kQuarters) {
  for (size_t i = 0; i < bins_; ++i) {
    const double low = lower_edge_ms(i);
    const double high = lower_edge_ms(i + 1);
    low_us_[i] = low * 1000;
    width_us_[i] = (high - low) * 1000;
    mass_[i] = prior_density((low + high) / 2) * (high - low) * kPriorWeight;
    total_ += mass_[i];
  }
  tabulate();
}

void GapModel::tabulate() {
  double later = 0;
  highest_ = 0;
  for (size_t i = bins_; i-- > 0;) {
    later_[i] = later / total_;
    later += mass_[i];
    density_[i] = mass_[i] / total_ / width_us_[i];
    highest_ = std::max(highest_, density_[i]);
  }
  untabulated_ = 0;
}

void GapModel::learn(Micros gap, double weight) {
  mass_[bin(spread_ms(gap))] += weight;
  total_ += weight;
  untabulated_ += weight;
  if (total_ >= kMemory) {
    for (double& mass : mass_)
      mass /= 2;
    total_ /= 2;
  }
  if (untabulated_ * kTabulate >= total_) tabulate();
}

}  // namespace ectoscope
