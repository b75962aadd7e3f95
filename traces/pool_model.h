// Which backends serve one connection pool.
//
// Ecto's pool hands out the connection that has been idle longest, so one request wanders over all
// of its pool's backends, and over no other's.  Two nodes of one application look alike in the log;
// that their requests never share a backend is what tells them apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace ectoscope {

/// Threads: one at a time.  Bounded: forgets all after kMaxPairs pairs (a restarted pool has new
/// pids anyway).
class PoolModel {
 public:
  /// How much likelier two statements of one request are to run on these two backends than chance
  /// has it; 1 while too little is known.
  [[nodiscard]] double ratio(int32_t one, int32_t other) const;

  /// Two consecutive statements of one request ran on these backends, right with `weight`.
  void learn(int32_t one, int32_t other, double weight);

 private:
  static constexpr size_t kMaxPairs = 20'000;
  static uint64_t pair_of(int32_t one, int32_t other);

  std::unordered_map<uint64_t, double> pairs_;
  std::unordered_map<int32_t, double> backends_;
  double total_ = 0;
};

}  // namespace ectoscope
