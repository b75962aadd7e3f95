#include <utility>

#include "core/alerting_state.h"
#include "outputs/metric_families.h"
#include "outputs/series_budget.h"

namespace ectoscope {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

const LabelNames& alert_label_names() {
  static const LabelNames kNames = {"id",       "kind",        "severity", "server",
                                    "database", "application", "table",    "team"};
  return kNames;
}

MetricFamily firing_family(const AlertingState& alerting, size_t most) {
  MetricFamily family =
      family_of("ectoscope_finding_alerting",
                "1 for each alert that fires, with the labels that Alertmanager is told. A rule on "
                "it makes the same alert, and pages nobody twice.",
                MetricType::Gauge);
  const LabelNames& names = alert_label_names();
  for (size_t i = 0; i < alerting.firing.size() && i < most; ++i) {
    LabelValues values;
    for (const std::string_view name : names) {
      const auto label = alerting.firing[i]->find(std::string(name));
      values.push_back(label == alerting.firing[i]->end() ? "" : label->second);
    }
    add_value(family, names, values, 1);
  }
  if (alerting.firing.size() > most) {
    const LabelValues other(names.size(), "other");
    add_value(family, names, other, static_cast<double>(alerting.firing.size() - most));
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> alert_families(const AlertingState& alerting, size_t most) {
  MetricFamily up = family_of("ectoscope_alertmanager_up",
                              "1 while an Alertmanager takes alerts, or has had none to take. At 0 "
                              "nobody is told: /api/v1/sources says why.",
                              MetricType::Gauge);
  MetricFamily queued = family_of("ectoscope_alerts_queued",
                                  "Alerts that wait for an Alertmanager. Above 0 for long: it is "
                                  "away or slow.",
                                  MetricType::Gauge);
  MetricFamily sent = family_of("ectoscope_alerts_sent_total",
                                "Alerts that an Alertmanager took, each time that one was sent.",
                                MetricType::Counter);
  MetricFamily failed = family_of("ectoscope_alerts_failed_total",
                                  "Alerts in attempts that failed. They are tried again; a steady "
                                  "rise means that nobody is told.",
                                  MetricType::Counter);
  MetricFamily dropped = family_of("ectoscope_alerts_dropped_total",
                                   "Alerts that were given up, by reason. What fires is sent again "
                                   "at the next interval.",
                                   MetricType::Counter);
  for (const AlertmanagerState& peer : alerting.alertmanagers) {
    add_value(up, {"alertmanager"}, {peer.url}, peer.up ? 1 : 0);
    add_value(queued, {"alertmanager"}, {peer.url}, static_cast<double>(peer.queued));
    add_value(sent, {"alertmanager"}, {peer.url}, static_cast<double>(peer.sent));
    add_value(failed, {"alertmanager"}, {peer.url}, static_cast<double>(peer.failed));
    for (const char* reason : {"queue_full", "refused"}) {
      const auto count = peer.dropped.find(reason);
      add_value(dropped, {"alertmanager", "reason"}, {peer.url, reason},
                count == peer.dropped.end() ? 0 : static_cast<double>(count->second));
    }
  }
  std::vector<MetricFamily> families;
  families.push_back(firing_family(alerting, most));
  for (MetricFamily* family : {&up, &queued, &sent, &failed, &dropped})
    families.push_back(std::move(*family));
  return families;
}

}  // namespace ectoscope
