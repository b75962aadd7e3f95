// Which backends serve one connection pool.
//
// Ecto's pool hands out the connection that has been idle longest, so one request wanders over all
// of its pool's backends, and over no other's.  Two nodes of one application look alike in the log;
// that their requests never share a backend is what tells them apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace ectoscope {

/// Threads: one at a time.  Bounded: after kMaxBackends different backends it forgets all and
/// begins anew (a restarted pool has new pids anyway); generation() tells.
class PoolModel {
 public:
  /// Numbers a backend; numbers are good until generation() changes.
  uint32_t number(int32_t pid);
  [[nodiscard]] uint32_t generation() const { return generation_; }

  /// How much likelier two statements of one request are to run on these two backends than chance
  /// has it; 1 while too little is known.
  [[nodiscard]] double ratio(uint32_t one, uint32_t other) const {
    if (total_ < kEnough) return 1;
    const double a = static_cast<double>(backends_[one]);
    const double b = static_cast<double>(backends_[other]);
    if (a == 0 || b == 0) return 1;
    const double together = static_cast<double>(pairs_[one * kMaxBackends + other]);
    const double chance = a * b / (2 * total_) * (one == other ? 0.5 : 1);
    return (together + kSmoothing) / (chance + kSmoothing);
  }

  /// Two consecutive statements of one request ran on these backends, right with `weight`.
  void learn(uint32_t one, uint32_t other, double weight);

 private:
  static constexpr size_t kMaxBackends = 256;
  static constexpr double kEnough = 20;  // links before the model says anything
  static constexpr double kSmoothing = 2;

  std::unordered_map<int32_t, uint32_t> numbers_;
  std::vector<float> pairs_;  // kMaxBackends squared, once there is a backend; symmetric
  std::vector<float> backends_ = std::vector<float>(kMaxBackends);
  double total_ = 0;
  uint32_t generation_ = 1;
};

}  // namespace ectoscope
