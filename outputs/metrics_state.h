// What a scrape is made of, shared by the files that make its parts.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "outputs/metric_families.h"
#include "outputs/metrics.h"
#include "outputs/series_budget.h"

namespace ectoscope {

struct Metrics::State {
  static constexpr size_t kHistogramSeries = DurationHistogram::kBounds.size() + 3;
  static constexpr std::string_view kOccurrences = "ectoscope_finding_occurrences_total";
  static constexpr const char* kOther = "other";

  explicit State(MetricsOptions given)
      : options(std::move(given)),
        active(options.series_budget / 10),
        findings(options.series_budget / 5),
        occurrences(options.series_budget * 3 / 20),
        ignored(options.series_budget / 20),
        statements(options.series_budget / 20),
        durations(options.series_budget / 5 / kHistogramSeries) {}

  std::vector<prometheus::MetricFamily> collect(const Snapshot& snapshot);

  MetricsOptions options;
  std::mutex scraping;
  ActiveFindings active;
  LabelBudget findings;
  LabelBudget occurrences;
  LabelBudget ignored;
  LabelBudget statements;
  LabelBudget durations;
  EventTime last_good_reload;
  Exemplars exemplars;
  std::mutex cutting;
  std::map<std::string, uint64_t, std::less<>> cuts;

 private:
  prometheus::MetricFamily& counter(std::string_view name, std::string_view help) {
    return families_.emplace_back(family_of(name, help, prometheus::MetricType::Counter));
  }
  prometheus::MetricFamily& gauge(std::string_view name, std::string_view help) {
    return families_.emplace_back(family_of(name, help, prometheus::MetricType::Gauge));
  }
  void daemon(const Snapshot& snapshot);
  void reading(const Snapshot& snapshot);
  void grouping(const Snapshot& snapshot);
  void fidelity(const Snapshot& snapshot);
  void statement_counts(const Snapshot& snapshot);
  void finding_counts(const Snapshot& snapshot);
  void add_exemplar(const Finding& finding);
  void finding_occurrences(const Snapshot& snapshot);
  void active_findings(const Snapshot& snapshot);
  void cost(const Snapshot& snapshot);
  void detectors(const Snapshot& snapshot);
  void limits();

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace ectoscope
