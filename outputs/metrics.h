// /metrics: a snapshot as time series.  docs/metrics.md lists them; a test keeps it complete.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/snapshot.h"

namespace ectoscope {

struct MetricsOptions {
  std::string version;
  size_t series_budget = 2000;
};

struct MetricsText {
  std::string content_type;
  std::string text;
};

/// Threads: any; one scrape goes at a time.
class Metrics {
 public:
  explicit Metrics(MetricsOptions options);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  /// `accept` is the request's header: OpenMetrics, with trace ids as exemplars, for those who ask
  /// for it, else Prometheus' text format.
  MetricsText scrape(const Snapshot& snapshot, std::string_view accept);

  /// The HTTP side cut a client off.
  void count_cut(std::string_view reason);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ectoscope
