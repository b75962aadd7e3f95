// Families of metrics under construction: prometheus-cpp's values, with less to write.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "core/alerting_state.h"
#include "core/execution.h"
#include "core/snapshot.h"

namespace ectoscope {

using LabelNames = std::vector<std::string_view>;
using LabelValues = std::vector<std::string>;

/// A family that is still empty.
prometheus::MetricFamily family_of(std::string_view name, std::string_view help,
                                   prometheus::MetricType type);

/// Adds one series.  The labels' values may be any text.
void add_value(prometheus::MetricFamily& family, const LabelNames& names, const LabelValues& values,
               double value);
void add_histogram(prometheus::MetricFamily& family, const LabelNames& names,
                   const LabelValues& values, const DurationHistogram& durations);
void add_summary(prometheus::MetricFamily& family, const LabelNames& names,
                 const LabelValues& values, uint64_t count, double sum);

/// What OpenMetrics hangs on a counter: where to look for one of those that were counted.
struct Exemplar {
  TraceId trace_id;
  EventTime at;
};

/// By the labels' values of a series.
using Exemplars = std::map<LabelValues, Exemplar>;

/// OpenMetrics 1.0 text, with `exemplars` on the series of the counter `exemplar_family`.
std::string openmetrics_text(const std::vector<prometheus::MetricFamily>& families,
                             std::string_view exemplar_family, const Exemplars& exemplars);

/// What is known of alerts; `most` of those that fire have a series, the rest are one, "other".
std::vector<prometheus::MetricFamily> alert_families(const AlertingState& alerting, size_t most);

/// The process_* families, from /proc/self; without what can't be read there.
std::vector<prometheus::MetricFamily> process_families();

}  // namespace ectoscope
