#include "traces/succession_model.h"

#include "core/hash.h"

namespace ectoscope {
namespace {

// As KeyModel's: what chance gives to a pair that was never seen seconds apart is 1 in 860 at
// first.
constexpr double kUnseen = 0.07;
constexpr double kUnseenWeight = 60;
constexpr double kPriorLinks = 8;

int64_t pair_of(uint64_t before, uint64_t after) {
  return static_cast<int64_t>(mix_hash(before, after));
}

}  // namespace

double SuccessionModel::evidence(uint64_t before, uint64_t after) const {
  if (before == after) return 0;
  const DeltaCounts::Cell* pair = pairs_.find(pair_of(before, after));
  if (pair == nullptr) return 0;
  const double chance = (static_cast<double>(pair->distant) + kUnseen) / (distant_ + kUnseenWeight);
  return static_cast<double>(pair->linked) / (linked_ + kPriorLinks) / chance;
}

void SuccessionModel::learn(uint64_t before, uint64_t after, double weight) {
  if (before == 0 || after == 0 || before == after) return;
  pairs_.at(pair_of(before, after)).linked += static_cast<float>(weight);
  linked_ += weight;
}

void SuccessionModel::learn_distant(uint64_t before, uint64_t after) {
  if (before == 0 || after == 0 || before == after) return;
  distant_ += 1;
  const int64_t pair = pair_of(before, after);
  if (pairs_.find(pair) != nullptr) pairs_.at(pair).distant += 1;
}

}  // namespace ectoscope
