#include "traces/pool_model.h"

#include <algorithm>

namespace ectoscope {
namespace {

constexpr double kEnough = 20;  // links before the model says anything
constexpr double kSmoothing = 2;

}  // namespace

uint64_t PoolModel::pair_of(int32_t one, int32_t other) {
  const auto low = static_cast<uint32_t>(std::min(one, other));
  const auto high = static_cast<uint32_t>(std::max(one, other));
  return (static_cast<uint64_t>(high) << 32U) | low;
}

double PoolModel::ratio(int32_t one, int32_t other) const {
  if (total_ < kEnough) return 1;
  const auto a = backends_.find(one);
  const auto b = backends_.find(other);
  if (a == backends_.end() || b == backends_.end()) return 1;
  const auto seen = pairs_.find(pair_of(one, other));
  const double together = seen == pairs_.end() ? 0 : seen->second;
  const double chance = a->second * b->second / (2 * total_) * (one == other ? 0.5 : 1);
  return (together + kSmoothing) / (chance + kSmoothing);
}

void PoolModel::learn(int32_t one, int32_t other, double weight) {
  if (pairs_.size() >= kMaxPairs) {
    pairs_.clear();
    backends_.clear();
    total_ = 0;
  }
  pairs_[pair_of(one, other)] += weight;
  backends_[one] += weight;
  backends_[other] += weight;
  total_ += weight;
}

}  // namespace ectoscope
