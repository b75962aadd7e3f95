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
  [[nodiscard]] double ratio(uint32_t one, uint32_t other) const;

  /// Two consecutive statements of one request ran on these backends, right with `weight`.
  void learn(uint32_t one, uint32_t other, double weight);

 private:
  static constexpr size_t kMaxBackends = 256;

  std::unordered_map<int32_t, uint32_t> numbers_;
  std::vector<float> pairs_;  // kMaxBackends squared, once there is a backend; symmetric
  std::vector<float> backends_ = std::vector<float>(kMaxBackends);
  double total_ = 0;
  uint32_t generation_ = 1;
};

}  // namespace ectoscope
