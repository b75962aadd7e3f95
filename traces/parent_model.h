// Which query led to a loop: the "1" of N+1.
//
// Candidates are the reads that ended shortly before the loop began.  Weighed like links: how long
// before, how often the two shapes stand so (learned from loop to loop), how common the shape is
// anyway, whether its LIMIT is the loop's length, and whether names relate them ("post_id" and
// "posts", or a loop by id and a parent that selects that id's column).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "core/execution.h"
#include "traces/gap_model.h"

namespace ectoscope {

/// A loop in want of its parent.
struct LoopStart {
  const Query* query = nullptr;
  EventTime started_at;
  uint64_t count = 0;
};

/// Threads: one at a time.  Bounded by kMaxPairs; then forgets and learns again.
class ParentModel {
 public:
  /// The likeliest of `reads` (all ended before the loop started, any order), or nullptr where none
  /// is likelier than not.  Learns from the answer.  `rates` holds executions per microsecond.
  const Execution* choose(const LoopStart& loop, std::span<const Execution> reads,
                          const QueryTable& queries, const std::map<QueryId, double>& rates,
                          const GapModel& gaps);

 private:
  static constexpr size_t kMaxPairs = 50'000;
  struct Seen {
    std::map<QueryId, double> parents;
    double none = 1;
    double total = 2;
  };

  struct Weighed {
    std::vector<std::pair<const Execution*, double>> reads;
    std::map<QueryId, double> priors;
    double total = 0;  // with the weight of having no parent
  };

  static Weighed weigh(const LoopStart& loop, std::span<const Execution> reads,
                       const QueryTable& queries, const std::map<QueryId, double>& rates,
                       const GapModel& gaps, const Seen& seen);

  std::map<QueryId, Seen> children_;
  size_t pairs_ = 0;
};

/// Prior odds by names and forms alone; 0: can't be a parent.
double parent_prior(const Query& parent, const Query& child);

}  // namespace ectoscope
