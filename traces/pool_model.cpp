#include "traces/pool_model.h"

#include <algorithm>

namespace ectoscope {
namespace {

constexpr double kEnough = 20;  // links before the model says anything
constexpr double kSmoothing = 2;

}  // namespace

uint32_t PoolModel::number(int32_t pid) {
  if (const auto found = numbers_.find(pid); found != numbers_.end()) return found->second;
  if (pairs_.empty()) pairs_.resize(kMaxBackends * kMaxBackends);
  if (numbers_.size() >= kMaxBackends) {
    numbers_.clear();
    std::fill(pairs_.begin(), pairs_.end(), 0.0F);
    std::fill(backends_.begin(), backends_.end(), 0.0F);
    total_ = 0;
    ++generation_;
  }
  const auto number = static_cast<uint32_t>(numbers_.size());
  numbers_.emplace(pid, number);
  return number;
}

double PoolModel::ratio(uint32_t one, uint32_t other) const {
  if (total_ < kEnough) return 1;
  const double a = static_cast<double>(backends_[one]);
  const double b = static_cast<double>(backends_[other]);
  if (a == 0 || b == 0) return 1;
  const double together = static_cast<double>(pairs_[one * kMaxBackends + other]);
  const double chance = a * b / (2 * total_) * (one == other ? 0.5 : 1);
  return (together + kSmoothing) / (chance + kSmoothing);
}

void PoolModel::learn(uint32_t one, uint32_t other, double weight) {
  const auto mass = static_cast<float>(weight);
  pairs_[one * kMaxBackends + other] += mass;
  if (one != other) pairs_[other * kMaxBackends + one] += mass;
  backends_[one] += mass;
  backends_[other] += mass;
  total_ += weight;
}

}  // namespace ectoscope
