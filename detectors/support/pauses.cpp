#include "detectors/support/pauses.h"

#include <algorithm>

#include "core/near_miss.h"
#include "detectors/support/transactions.h"

namespace ectoscope {

Pauses::Pauses(const Trace& trace, const QueryTable& queries, Micros longest) : trace_(trace) {
  const bool tagged = is_tagged(trace);
  std::vector<bool> within;  // a transaction; looked for at the first long pause, which few have
  parts_.reserve(trace.executions.size());
  silent_.reserve(trace.executions.size());
  uint32_t part = 0;
  Micros silent{0};
  EventTime last = trace.executions.front().ended_at;
  for (size_t i = 0; i < trace.executions.size(); ++i) {
    const Execution& execution = trace.executions[i];
    const Micros pause = std::max(Micros(0), execution.started_at - last);
    bool parted = tagged && pause >= longest;
    if (parted && queries[execution.query].transaction != TransactionVerb::kBegin) {
      if (within.empty()) within = in_transaction(trace, queries);
      parted = !within[i];
    }
    if (parted) {
      ++part;
    } else {
      silent += pause;
    }
    parts_.push_back(part);
    silent_.push_back(silent);
    last = std::max(last, execution.ended_at);
  }
}

void Pauses::drop_lone(uint64_t least, Repeats& repeats, Report& report) const {
  if (repeats.at.empty() || part(repeats.at.front()) == part(repeats.at.back())) return;
  std::vector<uint32_t> kept;
  kept.reserve(repeats.at.size());
  size_t most = 0;
  for (auto first = repeats.at.begin(); first != repeats.at.end();) {
    const auto end =
        std::find_if(first, repeats.at.end(), [&](uint32_t i) { return part(i) != part(*first); });
    const auto count = static_cast<size_t>(end - first);
    most = std::max(most, count);
    if (count >= least) kept.insert(kept.end(), first, end);
    first = end;
  }
  if (kept.empty()) {
    report.near_miss({repeats.query, kNoQuery, "min_repeats", static_cast<double>(most),
                      static_cast<double>(least),
                      "repeats of one request with no pause as long as longest_pause between"});
  }
  if (trace_.truncated) {  // what the trace did not keep is taken to be as what it kept
    const double share = static_cast<double>(kept.size()) / static_cast<double>(repeats.at.size());
    repeats.count = static_cast<uint64_t>(static_cast<double>(repeats.count) * share);
    repeats.duration =
        Micros(static_cast<int64_t>(static_cast<double>(repeats.duration.count()) * share));
  }
  repeats.at = std::move(kept);
}

Pauses::Weight Pauses::heaviest(const Repeats& repeats) const {
  if (repeats.at.empty() || part(repeats.at.front()) == part(repeats.at.back()))
    return {repeats.count, repeats.duration};
  Weight heaviest;
  Weight weight;
  for (size_t i = 0; i < repeats.at.size(); ++i) {
    if (i > 0 && part(repeats.at[i]) != part(repeats.at[i - 1])) weight = {};
    ++weight.repeats;
    weight.duration += trace_.executions[repeats.at[i]].duration;
    if (weight.repeats > heaviest.repeats) heaviest = weight;
  }
  return heaviest;
}

void Pauses::grade(const Repeats& repeats, const LoopGrades& grades,
                   Observation& observation) const {
  if (is_tagged(trace_) && mean_between(repeats) > grades.patient_gap) {
    observation.severity = Severity::kInfo;
    observation.confidence *= 0.6;
    return;
  }
  const Weight most = heaviest(repeats);
  const bool critical =
      most.repeats >= grades.critical_repeats && most.duration >= grades.critical_time;
  observation.severity = critical ? Severity::kCritical : Severity::kWarning;
}

uint64_t Pauses::excess(const Repeats& repeats) const {
  uint64_t needed = 1;
  for (size_t i = 1; i < repeats.at.size(); ++i)
    if (part(repeats.at[i]) != part(repeats.at[i - 1])) ++needed;
  return repeats.count - std::min(repeats.count, needed);
}

Micros Pauses::mean_between(const Repeats& repeats) const {
  Micros silent{0};
  int64_t pairs = 0;
  for (size_t i = 1; i < repeats.at.size(); ++i) {
    const uint32_t before = repeats.at[i - 1];
    const uint32_t after = repeats.at[i];
    if (part(before) != part(after)) continue;
    silent += silent_[after] - silent_[before];
    ++pairs;
  }
  return pairs == 0 ? Micros(0) : silent / pairs;
}

}  // namespace ectoscope
