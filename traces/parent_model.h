// Which query led to a loop: the "1" of N+1.
//
// Candidates are the reads that ended shortly before the loop began.  Weighed like links: how long
// before, how often the two shapes stand so (learned from loop to loop), how common the shape is
// anyway, whether its LIMIT is the loop's length, and whether names relate them ("post_id" and
// "posts", or a loop by id and a parent that selects that id's column).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
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

/// What is looked at of a read that may have led to a loop.
struct Read {
  EventTime ended_at;
  QueryId query = kNoQuery;
  int32_t limit = -1;  // as Execution has it
  uint32_t run = 0;    // the caller's name for the whole of it
};

/// Executions of a shape per microsecond.
using ShapeRates = std::unordered_map<QueryId, double>;

/// Threads: one at a time.  Bounded by kMaxPairs; then forgets and learns again.
class ParentModel {
 public:
  static constexpr size_t kMaxReads = 200;

  /// The likeliest of `reads` (at most kMaxReads, by end, all before the loop started), or nullptr
  /// where none is likelier than not.  Learns from the answer.
  const Read* choose(const LoopStart& loop, std::span<const Read> reads, const QueryTable& queries,
                     const ShapeRates& rates, const GapModel& gaps);

 private:
  static constexpr size_t kMaxPairs = 50'000;
  static constexpr size_t kMaxPriors = 4096;  // asked again soon, or not at all
  static constexpr size_t kPlaces = 512;      // over twice kMaxReads, a power of two
  struct Seen {
    std::map<QueryId, double> parents;
    double none = 1;
    double total = 2;
  };

  // What is the same for all reads of one shape.
  struct Shape {
    QueryId query = kNoQuery;
    double prior = 0;
    double share = 0;  // of the loops that it led to, with the prior
    double rate = 0;
    double* mass = nullptr;  // in Seen::parents, once it has some
  };
  struct Weighed {
    const Read* read;
    uint32_t shape;  // in shapes_
    double weight;
  };

  /// Fills shapes_, shape_of_ and weighed_; returns the weight of them all and of having no parent.
  double weigh(const LoopStart& loop, std::span<const Read> reads, const QueryTable& queries,
               const ShapeRates& rates, const GapModel& gaps, const Seen& seen);
  double find_shapes(const Query& child, std::span<const Read> reads, const QueryTable& queries);
  double prior_of(const Query& parent, const Query& child);

  std::map<QueryId, Seen> children_;
  size_t pairs_ = 0;
  std::unordered_map<uint64_t, double> priors_;  // by parent and child; what was asked already
  std::vector<Shape> shapes_;
  std::vector<uint32_t> shape_of_;  // by place in reads
  std::vector<Weighed> weighed_;
  std::array<uint16_t, kPlaces> places_{};  // by hash: index into shapes_ plus 1
};

/// Prior odds by names and forms alone; 0: can't be a parent.
double parent_prior(const Query& parent, const Query& child);

}  // namespace ectoscope
