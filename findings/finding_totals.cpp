#include "findings/finding_totals.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <tuple>

namespace ectoscope {
namespace {

constexpr size_t kMaxNames = 1000;  // of applications, of routes, of evidence
constexpr double kBucketRatio = 1.02;

int bucket_of(Micros duration) {
  const auto micros = static_cast<double>(std::max<int64_t>(duration.count(), 1));
  return static_cast<int>(std::lround(std::log(micros) / std::log(kBucketRatio)));
}

template <typename Map>
typename Map::mapped_type* slot_in(Map& map, const std::string& name) {
  if (const auto found = map.find(name); found != map.end()) return &found->second;
  return map.size() < kMaxNames ? &map[name] : nullptr;
}

std::vector<std::pair<std::string, uint64_t>> most_first(
    const std::map<std::string, uint64_t>& counts) {
  std::vector<std::pair<std::string, uint64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& left, const auto& right) { return left.second > right.second; });
  return sorted;
}

}  // namespace

bool worse(const RankedExample& left, const RankedExample& right) {
  const auto rank = [](const RankedExample& it) {
    return std::tuple(-static_cast<int64_t>(it.repeats), -it.example.duration.count(),
                      it.example.started_at, it.example.trace_id);
  };
  return rank(left) < rank(right);
}

bool FindingTotals::would_be_worst(const RankedExample& example) const {
  return occurrences_ == 0 || worse(example, worst_);
}

void FindingTotals::add_example(const Occurred& occurred) {
  const RankedExample ranked{occurred.example, occurred.observation.repeats};
  const bool worst = would_be_worst(ranked);
  if (worst) {
    worst_ = ranked;
    timeline_ = occurred.timeline;
  }
  // After a restart the next plan, if not of the worst, tells more than none.
  if (worst || (plan_lost_ && occurred.observation.plan != nullptr)) {
    worst_observation_ = occurred.observation;
    plan_lost_ = false;
  }
  if (max_examples_ == 0) return;
  examples_.push_back(ranked);
  if (examples_.size() < 2 * max_examples_) return;
  const auto end = examples_.begin() + static_cast<std::ptrdiff_t>(max_examples_);
  std::nth_element(examples_.begin(), end, examples_.end(), worse);
  examples_.erase(end, examples_.end());
}

void FindingTotals::add_evidence(const std::map<std::string, double>& evidence) {
  for (const auto& [name, value] : evidence) {
    Evidence* known = slot_in(evidence_, name);
    if (known == nullptr) continue;
    known->least = known->count == 0 ? value : std::min(known->least, value);
    known->greatest = known->count == 0 ? value : std::max(known->greatest, value);
    known->sum += value;
    ++known->count;
  }
}

void FindingTotals::add(const Occurred& occurred) {
  const Observation& observation = occurred.observation;
  add_example(occurred);
  first_seen_ =
      occurrences_ == 0 ? observation.started_at : std::min(first_seen_, observation.started_at);
  last_seen_ =
      occurrences_ == 0 ? observation.ended_at : std::max(last_seen_, observation.ended_at);
  occurrences_ += occurred.count;
  severity_ = std::max(severity_, observation.severity);
  confidence_ += observation.confidence * static_cast<double>(occurred.count);
  statements_ += observation.statements;
  excess_statements_ += observation.excess_statements;
  database_time_ += observation.database_time;
  saved_ += observation.saved;
  add_evidence(observation.evidence);
  for (auto [names, name] :
       {std::pair(&applications_, &occurred.application), std::pair(&routes_, &occurred.route),
        std::pair(&places_, &occurred.place)}) {
    if (name->empty()) continue;
    if (uint64_t* count = slot_in(*names, *name)) ++*count;
  }
  if (!occurred.timed) return;
  ++timed_;
  ++durations_[bucket_of(observation.database_time)];
}

void FindingTotals::amend(const Amendment& amendment) {
  const auto meant = [&](const RankedExample& it) {
    return it.example.started_at == amendment.started_at && it.example.pids.size() == 1 &&
           it.example.pids.front() == amendment.pid;
  };
  // It was added not long ago.
  const auto kept = std::find_if(examples_.rbegin(), examples_.rend(), meant);
  if (kept != examples_.rend()) kept->example.ended_at = amendment.ended_at;
  if (meant(worst_)) worst_.example.ended_at = amendment.ended_at;
  last_seen_ = std::max(last_seen_, amendment.ended_at);
  add_evidence({{std::string(amendment.evidence), amendment.value}});
}

double FindingTotals::percentile(double share) const {
  const auto rank = static_cast<uint64_t>(std::ceil(share * static_cast<double>(timed_)));
  uint64_t seen = 0;
  for (const auto& [bucket, count] : durations_) {
    seen += count;
    if (seen >= rank) return std::pow(kBucketRatio, bucket) / 1000.0;
  }
  return 0;
}

void FindingTotals::fill_evidence(Finding& finding) const {
  for (const auto& [name, evidence] : evidence_) {
    double& value = finding.evidence[name];
    if (name.starts_with("max_")) {
      value = evidence.greatest;
    } else if (name.starts_with("min_")) {
      value = evidence.least;
    } else if (name.starts_with("total_")) {
      value = evidence.sum;
    } else {
      value = evidence.sum / static_cast<double>(evidence.count);
    }
  }
  if (timed_ == 0) return;
  // The worst example is the longest one here; no percentile may come out above it.
  const double longest = to_ms(worst_.example.duration);
  finding.evidence.emplace("p50_ms", std::min(percentile(0.50), longest));
  finding.evidence.emplace("p95_ms", std::min(percentile(0.95), longest));
  finding.evidence.emplace("max_ms", longest);
}

void FindingTotals::fill(Finding& finding) const {
  if (occurrences_ == 0) return;
  finding.severity = severity_;
  finding.confidence = confidence_ / static_cast<double>(occurrences_);
  finding.occurrences = occurrences_;
  finding.first_seen = first_seen_;
  finding.last_seen = last_seen_;
  finding.statements = statements_;
  finding.excess_statements = excess_statements_;
  finding.database_time = database_time_;
  finding.saved = saved_;
  for (const auto& [application, count] : applications_)
    finding.applications.push_back(application);
  finding.routes = most_first(routes_);
  finding.places = most_first(places_);
  fill_evidence(finding);
  std::vector<RankedExample> ranked = examples_;
  std::sort(ranked.begin(), ranked.end(), worse);
  ranked.resize(std::min(ranked.size(), max_examples_));
  for (RankedExample& example : ranked)
    finding.examples.push_back(std::move(example.example));
  finding.examples_left_out = occurrences_ - finding.examples.size();
  finding.timeline = timeline_;
  finding.plan = worst_observation_.plan;
}

}  // namespace ectoscope
