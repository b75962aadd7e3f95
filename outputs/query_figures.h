// What a histogram of durations says, for tables.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/snapshot.h"

namespace ectoscope {

struct QueryFigures {
  double mean_ms = 0;
  double p95_ms = 0;  // from the buckets: between their bounds it is taken as even
  double max_ms = 0;
  double total_ms = 0;
  double share = 0;  // 0..1, of the time of all queries
};

QueryFigures figures_of(const QueryStatistics& query, double all_seconds);

/// Seconds that all queries of a snapshot took.
double all_seconds(const Snapshot& snapshot);

/// The duration that `quantile` of the executions stay within, in seconds; at most `max`.
double quantile_of(const DurationHistogram& durations, double quantile, double max);

}  // namespace ectoscope
