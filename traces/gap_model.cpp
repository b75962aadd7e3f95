#include "traces/gap_model.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace ectoscope {
namespace {

constexpr double kPriorWeight = 60;  // observations that the prior mixture counts for
constexpr double kMemory = 4000;     // then old observations count half

double prior_density(double ms) {
  return 0.6 * std::exp(-ms / 12) / 12 + 0.3 * std::exp(-ms / 60) / 60 +
         0.1 * std::exp(-ms / 300) / 300;
}

double lower_edge_ms(size_t bin) {
  return bin == 0 ? 0 : std::pow(2.0, static_cast<double>(bin - 1) / 2);
}

double spread_ms(Micros gap) {
  const double ms = to_ms(gap);
  if (ms >= 0) return ms;
  return ms > -1 ? 0 : -3 * ms;  // stamps are cut to milliseconds
}

}  // namespace

GapModel::GapModel() {
  for (size_t i = 0; i < kBins; ++i) {
    const double low = lower_edge_ms(i);
    const double high = lower_edge_ms(i + 1);
    width_us_[i] = (high - low) * 1000;
    mass_[i] = prior_density((low + high) / 2) * (high - low) * kPriorWeight;
    total_ += mass_[i];
  }
}

// Half octaves by comparison of squares: cheaper than a logarithm, and this runs for every pair.
size_t GapModel::bin(double ms) {
  if (ms < 1) return 0;
  const auto whole = static_cast<uint64_t>(ms);
  const auto octave = static_cast<size_t>(std::bit_width(whole)) - 1;
  const auto floor = static_cast<double>(uint64_t{1} << octave);
  const size_t half = ms * ms >= 2 * floor * floor ? 1 : 0;
  return std::min(1 + 2 * octave + half, kBins - 1);
}

double GapModel::density(Micros gap) const {
  const size_t i = bin(spread_ms(gap));
  return mass_[i] / total_ / width_us_[i];
}

double GapModel::survival(Micros gap) const {
  const double ms = spread_ms(gap);
  const size_t at = bin(ms);
  const double into = std::clamp((ms - lower_edge_ms(at)) * 1000 / width_us_[at], 0.0, 1.0);
  double later = mass_[at] * (1 - into);
  for (size_t i = at + 1; i < kBins; ++i)
    later += mass_[i];
  return later / total_;
}

void GapModel::learn(Micros gap, double weight) {
  mass_[bin(spread_ms(gap))] += weight;
  total_ += weight;
  if (total_ < kMemory) return;
  for (double& mass : mass_)
    mass /= 2;
  total_ /= 2;
}

}  // namespace ectoscope
