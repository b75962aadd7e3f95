#include "outputs/alertmanager_book.h"

#include <algorithm>
#include <utility>

#include "outputs/detector_pages.h"

namespace ectoscope {
namespace {

constexpr Micros kTellEnded{900'000'000};  // as Prometheus does: an Alertmanager may miss the first
constexpr int kOutlives = 4;               // resend intervals that an alert lives without news
constexpr const char* kAlertName = "EctoscopeFinding";

/// Whether what was sent at `sent` is due again.
bool due(Micros sent, Micros interval, Micros now) {
  return sent == Micros(INT64_MIN) || now - sent >= interval;
}

void put(std::map<std::string, std::string>& into, const char* name, const std::string& value) {
  if (!value.empty()) into[name] = value;
}

}  // namespace

void AlertBook::set_rules(AlertRules rules) {
  rules_changed_ = rules_changed_ || !(rules == rules_);
  rules_ = std::move(rules);
}

Alerts AlertBook::look(const Snapshot& snapshot, EventTime wall, Micros steady) {
  if (!began_ && snapshot.ready) tell_of_earlier(snapshot, wall, steady);
  for (const auto& tracked : snapshot.findings)
    take(tracked, wall, steady);
  end_absent(snapshot.ready, wall, steady);
  rules_changed_ = false;
  Alerts alerts;
  for (auto& [id, firing] : firing_) {
    if (!due(firing.sent_at, rules_.resend_interval, steady)) continue;
    firing.sent_at = steady;
    alerts.push_back(alert_of(firing, wall + kOutlives * rules_.resend_interval));
  }
  for (auto it = ended_.begin(); it != ended_.end();) {
    Ended& ended = it->second;
    if (steady - ended.ended_at > kTellEnded) {
      it = ended_.erase(it);
      continue;
    }
    if (due(ended.sent_at, rules_.resend_interval, steady)) {
      ended.sent_at = steady;
      alerts.push_back(ended.alert);
    }
    ++it;
  }
  return alerts;
}

void AlertBook::take(const std::shared_ptr<const TrackedFinding>& tracked, EventTime wall,
                     Micros steady) {
  if (!tracked->active || !tracked->live) return;
  const Finding& finding = tracked->finding;
  auto known = firing_.find(finding.id);
  if (known == firing_.end()) {
    if (finding.severity < rules_.least) return;
    known = firing_.emplace(finding.id, Firing{}).first;
    known->second.starts_at = wall;
  }
  Firing& firing = known->second;
  // That it was severe enough counts for as long as the rules say so.
  if (std::max(firing.severity, finding.severity) < rules_.least) return;
  firing.seen = true;
  if (firing.finding == tracked && !rules_changed_) return;
  const Severity severity = std::max(firing.severity, finding.severity);
  auto labels = labels_of(*tracked, severity);
  if (firing.labels && *labels != *firing.labels) {
    end(firing, wall, steady);
    firing.starts_at = wall;
    firing.sent_at = Micros(INT64_MIN);
  }
  if (!firing.labels || *labels != *firing.labels) firing.labels = std::move(labels);
  firing.severity = severity;
  firing.finding = tracked;
  ended_.erase(*firing.labels);  // it is back: nobody is told any more that it ended
}

void AlertBook::end_absent(bool ready, EventTime wall, Micros steady) {
  for (auto it = firing_.begin(); it != firing_.end();) {
    if (std::exchange(it->second.seen, false) || !ready) {
      ++it;
      continue;
    }
    end(it->second, wall, steady);
    it = firing_.erase(it);
  }
}

void AlertBook::end(const Firing& firing, EventTime at, Micros steady) {
  if (ended_.size() >= kMostEnded) {
    ended_.erase(std::min_element(ended_.begin(), ended_.end(), [](const auto& a, const auto& b) {
      return a.second.ended_at < b.second.ended_at;
    }));
  }
  ended_[*firing.labels] = {alert_of(firing, at), steady, Micros(INT64_MIN)};
}

// What ended while no process of ours ran fired in the one before, as far as we know.  An
// Alertmanager that never heard of it notifies nobody.
void AlertBook::tell_of_earlier(const Snapshot& snapshot, EventTime wall, Micros steady) {
  began_ = true;
  for (const auto& tracked : snapshot.findings) {
    const auto ended = tracked->resolved_at;
    if (tracked->active || !ended || tracked->finding.severity < rules_.least) continue;
    if (*ended > wall || wall - *ended > kTellEnded) continue;
    const Severity severity = tracked->finding.severity;
    end({tracked, labels_of(*tracked, severity), severity, *ended}, *ended, steady);
  }
}

std::shared_ptr<const AlertLabels> AlertBook::labels_of(const TrackedFinding& tracked,
                                                        Severity severity) const {
  const Finding& finding = tracked.finding;
  if (severity == Severity::kCritical && !rules_.critical.contains(finding.kind)) {
    severity = Severity::kWarning;
  }
  AlertLabels labels;
  put(labels, "alertname", kAlertName);
  put(labels, "id", finding.id);
  put(labels, "kind", finding.kind);
  put(labels, "severity", std::string(name_of(severity)));
  put(labels, "server", finding.server);
  put(labels, "database", finding.database);
  // Several have no one place in a label; which they are says the finding.
  if (finding.applications.size() == 1) put(labels, "application", finding.applications[0]);
  if (!finding.tables.empty()) put(labels, "table", finding.tables[0]);
  put(labels, "team", tracked.team);
  return std::make_shared<const AlertLabels>(std::move(labels));
}

std::shared_ptr<const Alert> AlertBook::alert_of(const Firing& firing, EventTime ends_at) const {
  const Finding& finding = firing.finding->finding;
  auto alert = std::make_shared<Alert>();
  alert->labels = firing.labels;
  alert->url = rules_.external_url + "/findings/" + finding.id;
  put(alert->annotations, "summary", finding.summary);
  put(alert->annotations, "description", finding.fix.advice);
  put(alert->annotations, "ecto", finding.fix.ecto);
  put(alert->annotations, "migration", finding.fix.migration);
  put(alert->annotations, "finding_url", alert->url);
  if (!detector_page(finding.kind).empty()) {
    alert->annotations["runbook_url"] = rules_.external_url + "/docs/" + finding.kind;
  }
  alert->starts_at = firing.starts_at;
  alert->ends_at = std::max(ends_at, firing.starts_at);
  return alert;
}

void AlertBook::send_all_again() {
  for (auto& [id, firing] : firing_)
    firing.sent_at = Micros(INT64_MIN);
  for (auto& [labels, ended] : ended_)
    ended.sent_at = Micros(INT64_MIN);
}

std::vector<std::shared_ptr<const AlertLabels>> AlertBook::firing() const {
  std::vector<const Firing*> by_age;
  for (const auto& [id, firing] : firing_)
    by_age.push_back(&firing);
  std::stable_sort(by_age.begin(), by_age.end(),
                   [](const Firing* a, const Firing* b) { return a->starts_at < b->starts_at; });
  std::vector<std::shared_ptr<const AlertLabels>> labels;
  labels.reserve(by_age.size());
  for (const Firing* firing : by_age)
    labels.push_back(firing->labels);
  return labels;
}

}  // namespace ectoscope
