// The sums over a problem's occurrences.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/amendment.h"
#include "core/finding.h"

namespace ectoscope {

/// One occurrence, ready to be counted.
struct Occurred {
  Observation observation;
  Example example;
  std::string application;
  std::string route;
  std::string place;
  std::vector<TimelineStep> timeline;  // empty unless it may become the worst one's
  uint64_t count = 1;                  // how many it stands for
  bool timed = false;                  // of an execution: its duration goes into the percentiles
};

struct RankedExample {
  Example example;
  uint64_t repeats = 0;
};

/// Worst first: more repeats, then longer, then earlier, then by trace id.
bool worse(const RankedExample& left, const RankedExample& right);

/// Sums that forget no occurrence, in bounded memory: examples, routes, places, applications, names
/// of evidence are capped, and what the caps leave out is counted or goes unnamed.
class FindingTotals {
 public:
  explicit FindingTotals(size_t max_examples) : max_examples_(max_examples) {}

  void add(const Occurred& occurred);
  /// Of an occurrence that was added.
  void amend(const Amendment& amendment);

  /// Whether `example` would be the worst so far, and so the one with the timeline.
  [[nodiscard]] bool would_be_worst(const RankedExample& example) const;

  /// Fills in all that the occurrences tell.  Confidence and evidence are means over the
  /// occurrences, but for evidence named max_..., min_... and total_...; severity is the worst.
  /// Kinds that count executions get p50_ms, p95_ms and max_ms (percentiles to within 2 %).
  void fill(Finding& finding) const;

  [[nodiscard]] uint64_t occurrences() const { return occurrences_; }
  /// The worst occurrence, as its detector told of it.
  [[nodiscard]] const Observation& worst() const { return worst_observation_; }

 private:
  friend class TotalsCodec;  // findings/totals_codec.h

  void add_example(const Occurred& occurred);
  void add_evidence(const std::map<std::string, double>& evidence);
  void fill_evidence(Finding& finding) const;
  [[nodiscard]] double percentile(double share) const;

  struct Evidence {
    double sum = 0;
    double least = 0;
    double greatest = 0;
    uint64_t count = 0;
  };

  size_t max_examples_;
  uint64_t occurrences_ = 0;
  Severity severity_ = Severity::kInfo;
  double confidence_ = 0;  // summed
  EventTime first_seen_;
  EventTime last_seen_;
  uint64_t statements_ = 0;
  uint64_t excess_statements_ = 0;
  Micros database_time_{0};
  Micros saved_{0};
  std::map<std::string, Evidence> evidence_;
  std::map<std::string, uint64_t> applications_;
  std::map<std::string, uint64_t> routes_;
  std::map<std::string, uint64_t> places_;
  std::vector<RankedExample> examples_;  // unordered, up to twice max_examples_
  RankedExample worst_;
  Observation worst_observation_;
  bool plan_lost_ = false;  // it had one, which the store does not keep
  std::vector<TimelineStep> timeline_;
  std::map<int, uint64_t> durations_;  // by power of 1.02 µs
  uint64_t timed_ = 0;
};

}  // namespace ectoscope
