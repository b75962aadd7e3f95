// The chain rung: what can be said of statements that name no request and stand in no transaction.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/trace.h"
#include "traces/loop_linker.h"
#include "traces/overlap_model.h"
#include "traces/parent_model.h"
#include "traces/tick_model.h"

namespace ectoscope {

/// The loops of one stream.  Executions come in the order of their ends, as the log has them.
///
/// Threads: one at a time.  `queries` and `limits` must outlive it.
class Chain {
 public:
  /// Its executions are the parent, where there is one, and the loop's; `count` and `duration` are
  /// of the loop alone and exact.
  struct Found {
    std::span<const Execution> executions;
    QueryId query = kNoQuery;
    bool has_parent = false;
    uint64_t count = 0;
    Micros duration{0};
    double confidence = 0;
    double several = 0;  // probability that its repeats of one key were several requests' at once
  };
  using Sink = std::function<void(const Found&)>;

  Chain(const QueryTable& queries, const LoopLimits& limits) : queries_(queries), limits_(limits) {}

  void add(const Execution& execution, const Sink& sink);

  /// A read of this stream that another rung took: it may still be a loop's parent.
  void note(const Execution& execution);

  /// Any statement of this stream, whichever rung took it: they all take turns.
  void count(const Execution& execution);

  /// Event time has come to `now` without another execution.
  void advance(EventTime now, const Sink& sink);

  /// The input ends.
  void finish(const Sink& sink);

  /// Visits what waits for its window or stands in a loop that may go on.
  void visit_open(const std::function<void(const Execution&)>& visit) const;

 private:
  static constexpr size_t kMaxWaiting = 32'768;  // executions, then a window ends early
  static constexpr size_t kMaxReads = 8192;
  static constexpr size_t kMaxLoops = 4096;  // shapes with a linker
  static constexpr Micros kSettle{250'000};  // late ends of early starts

  struct Shape {
    uint64_t reads = 0;            // in this window
    uint64_t executions = 0;       // that may be of loops
    uint64_t jobs_before = 0;      // that had ended when it was first seen
    LoopLinker* linker = nullptr;  // in loops_
  };

  void note(const Execution& execution, Shape& shape);
  void drop_read();
  void close_window(EventTime horizon, const Sink& sink);
  [[nodiscard]] double share_of_jobs(const Shape& shape, const Loop& loop) const;
  double several_processes(const Loop& loop);
  void forget_idle();

  const QueryTable& queries_;
  const LoopLimits& limits_;
  /// Ids are given in the order of first sight, which differs between the formats of a log.
  using ShapeKey = std::pair<uint64_t, QueryId>;  // its fingerprint first
  [[nodiscard]] ShapeKey key_of(QueryId query) const {
    return {queries_[query].fingerprint, query};
  }
  /// A shape's turn in a window: how much its keys tell, when it was first seen.
  struct Turn {
    double structured = 0;
    EventTime first_seen;
    ShapeKey key;
    LoopLinker* linker = nullptr;
  };
  void take_turns();
  void emit(const Turn& turn, const Loop& loop, const Sink& sink);

  LoopLinker::Workspace workspace_;
  std::map<ShapeKey, std::unique_ptr<LoopLinker>> loops_;
  std::vector<Turn> turns_;  // of the window that is closed
  StreamModels models_;
  ParentModel parents_;
  std::vector<Read> reads_;  // by ended_before(); those before first_read_ are gone
  size_t first_read_ = 0;
  std::vector<Execution> runs_;      // of reads_
  std::vector<uint32_t> free_runs_;  // in runs_
  std::unordered_map<QueryId, Shape> shapes_;
  ShapeRates rates_;
  std::vector<Execution> executions_;
  size_t waiting_ = 0;
  EventTime horizon_{};
  EventTime counted_{};  // up to there `activity` has been counted, for models_.in_window
  bool started_ = false;
  ActivityModel jobs_;  // that Oban ran to their end
  uint64_t jobs_ended_ = 0;
  TickModel ticks_;
  OverlapModel overlaps_;
  std::vector<RunTime> others_;  // scratch
  std::vector<uint64_t> own_;    // scratch
};

}  // namespace ectoscope
