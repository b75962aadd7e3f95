#include "outputs/query_figures.h"

#include <algorithm>

namespace ectoscope {

double quantile_of(const DurationHistogram& durations, double quantile, double max) {
  const double wanted = quantile * static_cast<double>(durations.count);
  double before = 0;
  double low = 0;
  for (size_t i = 0; i < durations.buckets.size(); ++i) {
    const auto here = static_cast<double>(durations.buckets[i]);
    const double high =
        i < DurationHistogram::kBounds.size() ? DurationHistogram::kBounds[i] : std::max(max, low);
    if (here > 0 && before + here >= wanted) {
      return std::min(max, low + (high - low) * (wanted - before) / here);
    }
    before += here;
    low = high;
  }
  return max;
}

QueryFigures figures_of(const QueryStatistics& query, double all_seconds) {
  const DurationHistogram& durations = query.durations;
  QueryFigures figures;
  figures.max_ms = to_ms(query.max);
  figures.total_ms = durations.sum_seconds * 1000;
  if (durations.count > 0) {
    figures.mean_ms = figures.total_ms / static_cast<double>(durations.count);
    figures.p95_ms = quantile_of(durations, 0.95, figures.max_ms / 1000) * 1000;
  }
  if (all_seconds > 0) figures.share = durations.sum_seconds / all_seconds;
  return figures;
}

double all_seconds(const Snapshot& snapshot) {
  double seconds = 0;
  for (const auto& query : snapshot.queries)
    seconds += query->durations.sum_seconds;
  return seconds;
}

}  // namespace ectoscope
