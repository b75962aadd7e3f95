// A trace that still grows: executions up to a cap, exact totals beyond it.
#pragma once

#include <vector>

#include "core/trace.h"

namespace ectoscope {

class OpenTrace {
 public:
  /// Keeps the execution unless `cap` of them are kept already; counts it in any case.
  void add(const Execution& execution, size_t cap);
  void add(const OpenTrace& other, size_t cap);

  /// Lends everything to a Trace, which is valid while this is unchanged.  Not for an empty one.
  [[nodiscard]] Trace view() const;

  [[nodiscard]] bool empty() const { return totals_.empty(); }
  /// The start of the first that was added, and the end of the last one.
  [[nodiscard]] EventTime first() const { return executions_.front().started_at; }
  [[nodiscard]] EventTime last() const { return last_; }
  [[nodiscard]] const std::vector<Execution>& executions() const { return executions_; }
  void clear();
  /// Executions that it has memory for.
  [[nodiscard]] size_t room() const { return executions_.capacity(); }

 private:
  static constexpr size_t kMaxShapes = 1000;  // with a total of their own

  void count(QueryId query, uint64_t executions, Micros duration);

  std::vector<Execution> executions_;
  std::vector<ShapeTotal> totals_;  // by query
  EventTime last_{};
  bool truncated_ = false;
};

}  // namespace ectoscope
