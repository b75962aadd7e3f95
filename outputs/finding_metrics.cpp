#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "outputs/metrics_state.h"

namespace ectoscope {

using prometheus::MetricFamily;
using prometheus::MetricType;

void Metrics::State::finding_counts(const Snapshot& snapshot) {
  // Grouped by views first: of 100,000 findings few differ in their labels.
  using Key = std::tuple<std::string_view, std::string_view, std::string_view, Severity>;
  struct Group {
    size_t place;  // of its first finding, which is its costliest
    uint64_t active = 0;
  };
  std::map<Key, Group> groups;
  for (size_t i = 0; i < snapshot.findings.size(); ++i) {
    const Finding& finding = snapshot.findings[i]->finding;
    const Key key = {finding.server, finding.database, finding.kind, finding.severity};
    Group& group = groups.try_emplace(key, Group{i}).first->second;
    group.active += snapshot.findings[i]->active ? 1 : 0;
  }
  std::map<size_t, uint64_t> by_cost;
  for (const auto& [key, group] : groups)
    by_cost[group.place] = group.active;
  std::map<LabelValues, uint64_t> counts;
  for (const auto& [place, active_count] : by_cost) {
    const Finding& finding = snapshot.findings[place]->finding;
    add_exemplar(finding);
    if (active_count == 0) continue;
    const std::string severity(name_of(finding.severity));
    LabelValues labels = {finding.server, finding.database, finding.kind, severity};
    if (!findings.admit(labels)) labels = {finding.server, kOther, kOther, severity};
    counts[std::move(labels)] += active_count;
  }
  MetricFamily& family = gauge("ectoscope_findings",
                               "Problems that are active, acknowledged ones included. Each has a "
                               "page with its fix.");
  for (const auto& [labels, count] : counts) {
    add_value(family, {"server", "database", "kind", "severity"}, labels,
              static_cast<double>(count));
  }
}

void Metrics::State::add_exemplar(const Finding& finding) {
  if (finding.examples.empty() || !finding.examples[0].trace_id.known()) return;
  exemplars.try_emplace({finding.server, finding.database, finding.kind},
                        Exemplar{finding.examples[0].trace_id, finding.examples[0].ended_at});
}

void Metrics::State::finding_occurrences(const Snapshot& snapshot) {
  const LabelNames names = {"server", "database", "kind"};
  const auto add_all = [&](MetricFamily& family, auto member, LabelBudget& budget) {
    std::map<LabelValues, uint64_t> counts;
    for (const ServerState& server : snapshot.servers) {
      for (const auto& [place, count] : server.*member) {
        LabelValues labels = {server.server, place.first, place.second};
        if (!budget.admit(labels)) labels = {server.server, kOther, kOther};
        counts[std::move(labels)] += count;
      }
    }
    for (const auto& [labels, count] : counts)
      add_value(family, names, labels, static_cast<double>(count));
  };
  add_all(counter(kOccurrences,
                  "How often problems occurred: requests for those of a request, executions for "
                  "the others. Falls to no rise once mended."),
          &ServerState::occurrences, occurrences);
  add_all(counter("ectoscope_finding_occurrences_ignored_total",
                  "Occurrences that an ignore rule hid. An unexpected rise: the rule hides more "
                  "than it was meant to."),
          &ServerState::ignored, ignored);
}

void Metrics::State::active_findings(const Snapshot& snapshot) {
  const ActiveFindings::Choice choice = active.choose(snapshot);
  MetricFamily& family = gauge("ectoscope_finding_active",
                               "1 while the problem is there, 0 when it has gone. Alert on it: "
                               "/findings/ID tells what it costs and the change that mends it.");
  const LabelNames names = {"id", "kind", "severity", "server", "database", "team"};
  for (const auto& [tracked, is_active] : choice.shown) {
    const Finding& finding = tracked->finding;
    add_value(family, names,
              {finding.id, finding.kind, std::string(name_of(finding.severity)), finding.server,
               finding.database, tracked->team},
              is_active ? 1 : 0);
  }
  if (choice.others > 0) {
    add_value(family, names, {kOther, kOther, kOther, kOther, kOther, kOther},
              static_cast<double>(choice.others));
  }
}

void Metrics::State::cost(const Snapshot& snapshot) {
  MetricFamily statements_family =
      family_of("ectoscope_excess_statements_total",
                "Statements that the fixes of all findings would spare. Over "
                "ectoscope_statements_total it is the share of needless queries.",
                MetricType::Counter);
  MetricFamily seconds = family_of("ectoscope_excess_seconds_total",
                                   "Database time that the fixes of all findings would spare. Its "
                                   "rate is in cores.",
                                   MetricType::Counter);
  for (const ServerState& server : snapshot.servers) {
    add_value(statements_family, {"server"}, {server.server},
              static_cast<double>(server.excess_statements));
    add_value(seconds, {"server"}, {server.server}, server.excess_seconds);
  }
  families_.push_back(std::move(statements_family));
  families_.push_back(std::move(seconds));
}

}  // namespace ectoscope
