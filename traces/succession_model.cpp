#include "traces/succession_model.h"

#include "core/hash.h"

namespace ectoscope {
namespace {

int64_t pair_of(uint64_t before, uint64_t after) {
  return static_cast<int64_t>(mix_hash(before, after));
}

}  // namespace

double SuccessionModel::evidence(uint64_t before, uint64_t after) const {
  return before == after ? 0 : pairs_.evidence(pair_of(before, after));
}

void SuccessionModel::learn(uint64_t before, uint64_t after, double weight) {
  if (before == 0 || after == 0 || before == after) return;
  pairs_.counts.at(pair_of(before, after)).linked += static_cast<float>(weight);
  pairs_.linked += weight;
}

void SuccessionModel::learn_distant(uint64_t before, uint64_t after) {
  if (before == 0 || after == 0 || before == after) return;
  pairs_.distant += 1;
  const int64_t pair = pair_of(before, after);
  if (pairs_.counts.find(pair) != nullptr) pairs_.counts.at(pair).distant += 1;
}

}  // namespace ectoscope
