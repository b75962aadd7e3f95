#include "traces/pool_model.h"

#include <algorithm>

namespace ectoscope {

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

void PoolModel::learn(uint32_t one, uint32_t other, double weight) {
  const auto mass = static_cast<float>(weight);
  pairs_[one * kMaxBackends + other] += mass;
  if (one != other) pairs_[other * kMaxBackends + one] += mass;
  backends_[one] += mass;
  backends_[other] += mass;
  total_ += weight;
}

}  // namespace ectoscope
