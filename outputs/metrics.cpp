#include "outputs/metrics.h"

#include <algorithm>
#include <mutex>
#include <tuple>
#include <utility>

#include <prometheus/text_serializer.h>

#include "outputs/metric_families.h"
#include "outputs/metrics_state.h"

namespace ectoscope {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

double seconds_of(EventTime at) {
  return std::chrono::duration<double>(at.time_since_epoch()).count();
}

double share_of(InputFidelity::Statements statements) {
  switch (statements) {
    case InputFidelity::Statements::kAll:
      return 1;
    case InputFidelity::Statements::kSampled:
      return 0.5;
    case InputFidelity::Statements::kSlowOnly:
      return 0.25;
    case InputFidelity::Statements::kNone:
      break;
  }
  return 0;
}

double share_of(InputFidelity::TraceIds trace_ids) {
  switch (trace_ids) {
    case InputFidelity::TraceIds::kAll:
      return 1;
    case InputFidelity::TraceIds::kSome:
      return 0.5;
    case InputFidelity::TraceIds::kStale:
      return 0.25;
    case InputFidelity::TraceIds::kNone:
      break;
  }
  return 0;
}

DurationHistogram& operator+=(DurationHistogram& sum, const DurationHistogram& more) {
  for (size_t i = 0; i < sum.buckets.size(); ++i)
    sum.buckets[i] += more.buckets[i];
  sum.count += more.count;
  sum.sum_seconds += more.sum_seconds;
  return sum;
}

}  // namespace

std::vector<MetricFamily> Metrics::State::collect(const Snapshot& snapshot) {
  families_.clear();
  exemplars.clear();
  daemon(snapshot);
  reading(snapshot);
  fidelity(snapshot);
  grouping(snapshot);
  statement_counts(snapshot);
  finding_counts(snapshot);
  finding_occurrences(snapshot);
  active_findings(snapshot);
  cost(snapshot);
  detectors(snapshot);
  limits();
  if (snapshot.alerting) {
    for (MetricFamily& family : alert_families(*snapshot.alerting, options.series_budget / 10))
      families_.push_back(std::move(family));
  }
  for (MetricFamily& family : process_families())
    families_.push_back(std::move(family));
  std::erase_if(families_, [](const MetricFamily& family) { return family.metric.empty(); });
  return std::move(families_);
}

void Metrics::State::daemon(const Snapshot& snapshot) {
  add_value(gauge("ectoscope_build_info", "The version that runs; always 1."), {"version"},
            {options.version}, 1);
  add_value(gauge("ectoscope_config_last_reload_successful",
                  "1 while the configuration that runs is the one in the file. At 0, run "
                  "ectoscope check config: the old one goes on."),
            {}, {}, snapshot.last_reload_ok ? 1 : 0);
  if (snapshot.last_reload_ok) last_good_reload = snapshot.last_reload_at;
  add_value(gauge("ectoscope_config_last_reload_success_timestamp_seconds",
                  "When the configuration that runs was read, since 1970."),
            {}, {}, seconds_of(last_good_reload));
  add_value(gauge("ectoscope_store_up",
                  "1 while the state directory can be written. At 0 findings go on but are lost "
                  "with a restart: see the log, free or repair the disk."),
            {}, {}, snapshot.store_problem.empty() ? 1 : 0);
  add_value(gauge("ectoscope_snapshot_timestamp_seconds",
                  "When the figures of this page were taken, since 1970. More than some seconds "
                  "ago: the analysis hangs."),
            {}, {}, seconds_of(snapshot.taken_at));
}

void Metrics::State::reading(const Snapshot& snapshot) {
  MetricFamily up = family_of("ectoscope_up",
                              "1 while all sources of the server can be read. At 0 nothing is "
                              "found there: the page /sources says why.",
                              MetricType::Gauge);
  MetricFamily bytes = family_of("ectoscope_log_bytes_read_total",
                                 "Bytes of log read. No rise on a busy server: logging is off, or "
                                 "the path is another file's.",
                                 MetricType::Counter);
  MetricFamily records = family_of("ectoscope_log_records_total",
                                   "Log records read, the dropped included.", MetricType::Counter);
  MetricFamily dropped = family_of("ectoscope_records_dropped_total",
                                   "What was skipped or only partly read, by reason. Any steady "
                                   "rise hides findings.",
                                   MetricType::Counter);
  MetricFamily lag = family_of("ectoscope_log_lag_seconds",
                               "How far reading is behind the log. A steady rise: the log grows "
                               "faster than it can be read.",
                               MetricType::Gauge);
  for (const ServerState& server : snapshot.servers) {
    add_value(up, {"server"}, {server.server}, server.up ? 1 : 0);
    add_value(bytes, {"server"}, {server.server}, static_cast<double>(server.bytes));
    add_value(records, {"server"}, {server.server}, static_cast<double>(server.records));
    add_value(lag, {"server"}, {server.server}, server.lag_seconds);
    for (const auto& [reason, count] : server.dropped)
      add_value(dropped, {"server", "reason"}, {server.server, reason}, static_cast<double>(count));
  }
  for (MetricFamily* family : {&up, &bytes, &records, &dropped, &lag})
    families_.push_back(std::move(*family));
}

void Metrics::State::fidelity(const Snapshot& snapshot) {
  MetricFamily& family =
      gauge("ectoscope_input_fidelity",
            "How much the server's log settings show: 1 all, 0 nothing, by aspect. A fall hides "
            "findings; /sources has the ALTER SYSTEM that mends it.");
  for (const ServerState& server : snapshot.servers) {
    const std::pair<const char*, double> aspects[] = {
        {"statements", share_of(server.fidelity.statements)},
        {"parameters", server.fidelity.parameters ? 1 : 0},
        {"plans", server.fidelity.plans ? 1 : 0},
        {"trace_ids", share_of(server.fidelity.trace_ids)}};
    for (const auto& [aspect, value] : aspects)
      add_value(family, {"server", "aspect"}, {server.server, aspect}, value);
  }
}

void Metrics::State::grouping(const Snapshot& snapshot) {
  MetricFamily traces = family_of("ectoscope_traces_total",
                                  "Requests seen, by what told their statements apart. Mostly "
                                  "chain or none: trace ids in SQL comments would make findings "
                                  "surer.",
                                  MetricType::Counter);
  MetricFamily open = family_of("ectoscope_open_traces",
                                "Requests whose statements are still awaited.", MetricType::Gauge);
  for (const ServerState& server : snapshot.servers) {
    add_value(open, {"server"}, {server.server}, static_cast<double>(server.open_traces));
    for (size_t i = 0; i < server.traces.size(); ++i) {
      const std::string rung(name_of(static_cast<GroupedBy>(i)));
      add_value(traces, {"server", "grouped_by"}, {server.server, rung},
                static_cast<double>(server.traces[i]));
    }
  }
  families_.push_back(std::move(traces));
  families_.push_back(std::move(open));
}

void Metrics::State::statement_counts(const Snapshot& snapshot) {
  std::map<LabelValues, uint64_t> counts;
  std::map<LabelValues, DurationHistogram> histograms;
  for (const ServerState& server : snapshot.servers) {
    for (const StatementCounts& seen : server.statements) {
      const std::string operation(name_of(seen.operation));
      const LabelValues labels = {server.server, seen.database, operation};
      const LabelValues other = {server.server, kOther, operation};
      counts[statements.admit(labels) ? labels : other] += seen.durations.count;
      histograms[durations.admit(labels) ? labels : other] += seen.durations;
    }
  }
  const LabelNames names = {"server", "database", "operation"};
  MetricFamily& total = counter("ectoscope_statements_total", "Statements executed.");
  for (const auto& [labels, count] : counts)
    add_value(total, names, labels, static_cast<double>(count));
  MetricFamily& duration = families_.emplace_back(
      family_of("ectoscope_statement_duration_seconds",
                "Time of statements in the database, network and queue not included.",
                MetricType::Histogram));
  for (const auto& [labels, histogram] : histograms)
    add_histogram(duration, names, labels, histogram);
}

void Metrics::State::detectors(const Snapshot& snapshot) {
  std::map<std::string, double> spent;
  uint64_t traces = 0;
  for (const ServerState& server : snapshot.servers) {
    for (const auto& [detector, seconds] : server.detector_seconds)
      spent[detector] += seconds;
    for (const uint64_t count : server.traces)
      traces += count;
  }
  MetricFamily& family = families_.emplace_back(
      family_of("ectoscope_detector_duration_seconds",
                "Time in each detector, a request. One that stands out can be turned off in the "
                "configuration.",
                MetricType::Summary));
  for (const auto& [detector, seconds] : spent)
    add_summary(family, {"detector"}, {detector}, traces, seconds);
}

void Metrics::State::limits() {
  const std::pair<const char*, uint64_t> refused[] = {
      {"ectoscope_finding_active", active.refused()},
      {"ectoscope_findings", findings.refused()},
      {"ectoscope_finding_occurrences_total", occurrences.refused()},
      {"ectoscope_finding_occurrences_ignored_total", ignored.refused()},
      {"ectoscope_statements_total", statements.refused()},
      {"ectoscope_statement_duration_seconds", durations.refused()}};
  MetricFamily& overflow =
      counter("ectoscope_series_overflow_total",
              "Label sets that are part of \"other\" because the series budget is spent. A rise: "
              "raise web.series_budget, or look why there are so many.");
  for (const auto& [metric, count] : refused)
    add_value(overflow, {"metric"}, {metric}, static_cast<double>(count));
  MetricFamily& cut = counter("ectoscope_http_clients_cut_total",
                              "HTTP clients that were refused or cut off, by reason. A rise: "
                              "something else than a browser or Prometheus talks to this port.");
  const std::lock_guard lock(cutting);
  for (const auto& [reason, count] : cuts)
    add_value(cut, {"reason"}, {reason}, static_cast<double>(count));
}

Metrics::Metrics(MetricsOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Metrics::~Metrics() = default;

MetricsText Metrics::scrape(const Snapshot& snapshot, std::string_view accept) {
  const std::lock_guard lock(state_->scraping);
  const std::vector<MetricFamily> families = state_->collect(snapshot);
  if (accept.find("application/openmetrics-text") != std::string_view::npos) {
    return {"application/openmetrics-text; version=1.0.0; charset=utf-8",
            openmetrics_text(families, State::kOccurrences, state_->exemplars)};
  }
  return {"text/plain; version=0.0.4; charset=utf-8",
          prometheus::TextSerializer().Serialize(families)};
}

void Metrics::count_cut(std::string_view reason) {
  const std::lock_guard lock(state_->cutting);
  ++state_->cuts.try_emplace(std::string(reason), 0).first->second;
}

}  // namespace ectoscope
