#include "outputs/metric_families.h"

#include <limits>

namespace ectoscope {
namespace {

prometheus::ClientMetric& add(prometheus::MetricFamily& family, const LabelNames& names,
                              const LabelValues& values) {
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  for (size_t i = 0; i < names.size(); ++i)
    metric.label.push_back({std::string(names[i]), values[i]});
  return metric;
}

}  // namespace

prometheus::MetricFamily family_of(std::string_view name, std::string_view help,
                                   prometheus::MetricType type) {
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

void add_value(prometheus::MetricFamily& family, const LabelNames& names, const LabelValues& values,
               double value) {
  prometheus::ClientMetric& metric = add(family, names, values);
  if (family.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

void add_histogram(prometheus::MetricFamily& family, const LabelNames& names,
                   const LabelValues& values, const DurationHistogram& durations) {
  prometheus::ClientMetric& metric = add(family, names, values);
  metric.histogram.sample_count = durations.count;
  metric.histogram.sample_sum = durations.sum_seconds;
  uint64_t cumulative = 0;
  for (size_t i = 0; i < durations.buckets.size(); ++i) {
    cumulative += durations.buckets[i];
    const double bound = i < DurationHistogram::kBounds.size()
                             ? DurationHistogram::kBounds[i]
                             : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({cumulative, bound});
  }
}

void add_summary(prometheus::MetricFamily& family, const LabelNames& names,
                 const LabelValues& values, uint64_t count, double sum) {
  prometheus::ClientMetric& metric = add(family, names, values);
  metric.summary.sample_count = count;
  metric.summary.sample_sum = sum;
}

}  // namespace ectoscope
