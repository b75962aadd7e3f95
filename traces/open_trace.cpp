#include "traces/open_trace.h"

#include <algorithm>

namespace ectoscope {
namespace {

constexpr size_t kUsual = 4;  // executions of a trace, and shapes; most have no more

}  // namespace

void OpenTrace::count(QueryId query, uint64_t executions, Micros duration) {
  auto at = std::lower_bound(totals_.begin(), totals_.end(), query,
                             [](const ShapeTotal& total, QueryId id) { return total.query < id; });
  if (at == totals_.end() || at->query != query) {
    if (totals_.size() >= kMaxShapes) {
      truncated_ = true;
      return;
    }
    at = totals_.insert(at, ShapeTotal{.query = query});
  }
  at->executions += executions;
  at->duration += duration;
}

void OpenTrace::add(const Execution& execution, size_t cap) {
  if (executions_.capacity() == 0) {
    executions_.reserve(kUsual);
    totals_.reserve(kUsual);
  }
  count(execution.query, 1, execution.duration);
  last_ = std::max(last_, execution.ended_at);
  if (executions_.size() < cap) {
    executions_.push_back(execution);
  } else {
    truncated_ = true;
  }
}

void OpenTrace::add(const OpenTrace& other, size_t cap) {
  for (const ShapeTotal& total : other.totals_)
    count(total.query, total.executions, total.duration);
  last_ = std::max(last_, other.last_);
  truncated_ = truncated_ || other.truncated_;
  for (const Execution& execution : other.executions_) {
    if (executions_.size() >= cap) {
      truncated_ = true;
      break;
    }
    executions_.push_back(execution);
  }
}

Trace OpenTrace::view() const {
  Trace trace;
  trace.executions = executions_;
  trace.totals = totals_;
  trace.truncated = truncated_;
  trace.stream = executions_.front().stream;
  for (const Execution& execution : executions_) {
    if (execution.route != 0) trace.route = execution.route;
  }
  return trace;
}

void OpenTrace::clear() {
  executions_.clear();
  totals_.clear();
  last_ = {};
  truncated_ = false;
}

}  // namespace ectoscope
