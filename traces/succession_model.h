// Which key comes after which: a page of rows is asked for again by the next visitor, in the same
// order.
//
// KeyModel's differences tell as much of integers, once loops that nobody else crosses have taught
// it some; of texts (UUIDs, e-mail addresses) they tell nothing.  Here a pair tells of itself
// alone, so it is learned when its window is over (a link that is still weighed would be all the
// evidence there is for itself), and from all that might have come before: where loops always
// overlap, no link is sure, but what comes after what adds up.
#pragma once

#include <cstdint>

#include "traces/key_model.h"

namespace ectoscope {

/// Keys are hashes; 0 is none.  Threads: one at a time.  Memory: 64 KiB at most.
class SuccessionModel {
 public:
  /// How much likelier `after` follows `before` in one loop than by chance, for this pair's having
  /// come before; 0 where it has not.
  [[nodiscard]] double evidence(uint64_t before, uint64_t after) const;

  /// They followed each other in one loop with probability `weight`.
  void learn(uint64_t before, uint64_t after, double weight);

  /// They were seconds apart.
  void learn_distant(uint64_t before, uint64_t after);

  /// Something was learned.
  [[nodiscard]] bool known() const { return pairs_.linked > 0; }

 private:
  LinkCounts pairs_;  // by a hash of the two; in its cells only those that were linked
};

}  // namespace ectoscope
