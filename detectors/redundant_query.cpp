// Redundant queries: a request asks the same question, with the same parameters, again and again,
// though nothing wrote to that table meanwhile; or two requests of one page ask all of the same
// questions one right after the other (LiveView mounts a page twice).
//
// Not reported: loops over different keys (n_plus_one_read), row locks, system queries, and what
// two requests seconds apart have in common.
#include <algorithm>
#include <deque>
#include <set>
#include <unordered_map>

#include "core/hash.h"
#include "core/near_miss.h"
#include "detectors/registry.h"
#include "detectors/support/pauses.h"
#include "detectors/support/repeats.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_repeats", Type::kInteger, 3, 2, 10'000,
     "Identical executions in one request that make a finding; two are common and cheap."},
    {"loop_keys", Type::kInteger, 5, 2, 10'000,
     "A shape that runs for so many different keys is a loop, and n_plus_one_read's business."},
    {"patient_gap", Type::kDuration, 50'000, 0, 60'000'000,
     "Repeats further apart than this in the mean look like waiting for a change: info only."},
    kLongestPause,
    {"double_mount_gap", Type::kDuration, 1'000'000, 0, 60'000'000,
     "Two requests with equal queries are one page's double mount when no further apart; 0: "
     "never."},
    {"double_mount_statements", Type::kInteger, 3, 2, 1'000,
     "Different queries that two requests must share, and share all of, to be a double mount."},
    {"min_grouping_confidence", Type::kRatio, 0.7, 0, 1,
     "Untagged statements count as one request only when grouping is at least so sure."},
};

constexpr size_t kRemembered = 4096;  // requests
// Without tags, requests that one page sends at once look like one that asks again and again.
constexpr char kSeveral[] = "several_requests";
constexpr double kLikely = 0.5;
constexpr double kSure = 0.1;

bool asks(const Query& query, const Execution& execution) {
  return query.operation == Operation::kSelect && !query.system && !query.locks_rows &&
         !execution.has(Execution::kFetch) && execution.parameters_hash != 0;
}

class RedundantQuery final : public Detector {
 public:
  explicit RedundantQuery(const Options& options)
      : min_repeats_(static_cast<size_t>(options.integer("min_repeats"))),
        loop_keys_(static_cast<size_t>(options.integer("loop_keys"))),
        patient_gap_(options.duration("patient_gap")),
        longest_pause_(options.duration("longest_pause")),
        mount_gap_(options.duration("double_mount_gap")),
        mount_statements_(static_cast<size_t>(options.integer("double_mount_statements"))),
        min_confidence_(options.ratio("min_grouping_confidence")) {}

  void on_trace(const Trace& trace, const QueryTable& queries, Report& report) override {
    if (trace.confidence < min_confidence_) {
      note_unsure_repeats(trace, queries, {min_repeats_, min_confidence_}, Operation::kSelect,
                          report);
      return;
    }
    note_few_repeats(trace, queries, min_repeats_, Operation::kSelect, report);
    std::set<QueryId> reported;
    const std::vector<Repeats> all = repeats_of(trace, queries, min_repeats_);
    if (!all.empty()) {
      const Pauses pauses(trace, queries, longest_pause_);
      for (const Repeats& repeats : all) {
        if (judge(trace, queries, repeats, pauses, report)) reported.insert(repeats.query);
      }
    }
    if (trace.closed && mount_gap_.count() > 0) compare(trace, queries, reported, report);
  }

 private:
  // Identical executions with no write to their table and no long pause between; `most` of them
  // are the largest group, also where it is too small.
  std::vector<uint32_t> identical(const Trace& trace, const QueryTable& queries,
                                  const Repeats& repeats, const Pauses& pauses,
                                  size_t& most) const {
    const Query& query = queries[repeats.query];
    std::vector<std::pair<uint64_t, uint32_t>> asked;  // (parameters, place in the trace)
    std::vector<uint32_t> found;
    const auto settle = [&] {
      std::sort(asked.begin(), asked.end());
      for (auto first = asked.begin(); first != asked.end();) {
        const auto end = std::find_if(first, asked.end(),
                                      [&](const auto& it) { return it.first != first->first; });
        const auto count = static_cast<size_t>(end - first);
        most = std::max(most, count);
        for (; first != end; ++first)
          if (count >= min_repeats_) found.push_back(first->second);
      }
      asked.clear();
    };
    for (uint32_t i = 0; i < trace.executions.size(); ++i) {
      const Execution& execution = trace.executions[i];
      const Query& other = queries[execution.query];
      if (i > 0 && pauses.part(i) != pauses.part(i - 1)) settle();
      const bool writes = other.operation == Operation::kInsert ||
                          other.operation == Operation::kUpdate ||
                          other.operation == Operation::kDelete;
      if (writes && !other.tables.empty() &&
          std::find(query.tables.begin(), query.tables.end(), other.tables[0]) !=
              query.tables.end()) {
        settle();
      }
      if (execution.query == repeats.query && asks(query, execution))
        asked.emplace_back(execution.parameters_hash, i);
    }
    settle();
    std::sort(found.begin(), found.end());
    return found;
  }

  bool judge(const Trace& trace, const QueryTable& queries, const Repeats& repeats,
             const Pauses& pauses, Report& report) const {
    const Query& query = queries[repeats.query];
    if (query.operation != Operation::kSelect) return false;
    if (query.key_form == KeyForm::kSingle && repeats.distinct_keys >= loop_keys_) {
      report.near_miss({query.id, kNoQuery, "loop_keys", static_cast<double>(repeats.distinct_keys),
                        static_cast<double>(loop_keys_), "different keys in one request"});
      return false;
    }
    Repeats same = repeats;
    size_t most = 0;
    same.at = identical(trace, queries, repeats, pauses, most);
    if (!same.at.empty() && trace.several > kLikely) {
      report.near_miss(
          {query.id, kNoQuery, "", 0, 0, "repeats that several requests of one page sent at once"});
      return false;
    }
    if (same.at.empty()) {
      if (most > 1) {
        report.near_miss(
            {query.id, kNoQuery, "min_repeats", static_cast<double>(most),
             static_cast<double>(min_repeats_),
             "repeats with the same parameters, nothing written and no long pause between,"});
      }
      return false;
    }
    std::set<uint64_t> questions;
    Micros kept{0};
    for (const uint32_t i : same.at) {
      questions.insert(trace.executions[i].parameters_hash);
      kept += trace.executions[i].duration;
      same.longest = std::max(same.longest, trace.executions[i].duration);
    }
    same.count = same.at.size();
    same.duration = kept;
    Observation observation = observe(trace, same, UINT32_MAX);
    observation.excess_statements = same.count - questions.size();
    observation.saved = kept * static_cast<int64_t>(observation.excess_statements) /
                        static_cast<int64_t>(same.count);
    observation.remedy = Remedy::kMemoize;
    const bool patient = pauses.mean_between(same) > patient_gap_;
    const bool sure = !patient && trace.several <= kSure;
    observation.severity = sure ? Severity::kWarning : Severity::kInfo;
    observation.confidence = grouping_confidence(trace) * (1 - trace.several) * (patient ? 0.6 : 1);
    observation.evidence["identical"] = static_cast<double>(same.count);
    if (trace.grouped_by == GroupedBy::kChain) observation.evidence[kSeveral] = trace.several;
    report.add(std::move(observation));
    return true;
  }

  struct Asked {
    uint64_t trace = 0;
    EventTime started_at;
    EventTime ended_at;
  };

  // A second mount asks all that the first one asked, no more and no less, and soon after it.
  void compare(const Trace& trace, const QueryTable& queries, const std::set<QueryId>& reported,
               Report& report) {
    questions_.clear();
    bool has_key = false;
    Asked now{trace.number, trace.executions.front().started_at, trace.executions.front().ended_at};
    for (const Execution& execution : trace.executions) {
      const Query& query = queries[execution.query];
      now.started_at = std::min(now.started_at, execution.started_at);
      now.ended_at = std::max(now.ended_at, execution.ended_at);
      if (query.system || query.transaction != TransactionVerb::kNone) continue;
      if (!asks(query, execution)) return;  // a write, or a question that can't be compared
      questions_.emplace_back(execution.query, execution.parameters_hash);
      has_key = has_key || query.key_form == KeyForm::kSingle;
    }
    if (questions_.size() < mount_statements_ || !has_key || trace.truncated) return;
    std::sort(questions_.begin(), questions_.end());
    questions_.erase(std::unique(questions_.begin(), questions_.end()), questions_.end());
    if (questions_.size() < mount_statements_) return;
    uint64_t signature = 0;
    for (const auto& [query, parameters] : questions_)
      signature = mix_hash(mix_hash(signature, query), parameters);
    signature = mix_hash(signature, trace.stream);
    std::vector<Asked>& asked = asked_[signature];
    const bool second = std::any_of(asked.begin(), asked.end(), [&](const Asked& earlier) {
      return earlier.trace != now.trace &&
             std::max(now.started_at - earlier.ended_at, earlier.started_at - now.ended_at) <=
                 mount_gap_;
    });
    if (second) mount(trace, queries, reported, report);
    remember(signature, now, asked);
  }

  void remember(uint64_t signature, const Asked& now, std::vector<Asked>& asked) {
    asked.push_back(now);
    signatures_.push_back(signature);
    if (signatures_.size() <= kRemembered) return;
    const auto oldest = asked_.find(signatures_.front());
    signatures_.pop_front();
    oldest->second.erase(oldest->second.begin());
    if (oldest->second.empty()) asked_.erase(oldest);
  }

  // The finding is about the dearest of the shared queries.
  static void mount(const Trace& trace, const QueryTable& queries,
                    const std::set<QueryId>& reported, Report& report) {
    Repeats all;
    Micros dearest{-1};
    for (uint32_t i = 0; i < trace.executions.size(); ++i) {
      const Execution& execution = trace.executions[i];
      const Query& query = queries[execution.query];
      if (query.system || query.transaction != TransactionVerb::kNone) continue;
      all.at.push_back(i);
      all.duration += execution.duration;
      // By shape, not by this run's duration: the finding must be the same one each time.
      const Micros rank =
          query.key_form == KeyForm::kList ? Micros(1) : Micros(query.has_limit ? 2 : 0);
      if (rank <= dearest || reported.contains(query.id)) continue;
      dearest = rank;
      all.query = query.id;
    }
    if (all.query == kNoQuery) return;
    all.count = all.at.size();
    Observation observation = observe(trace, all, UINT32_MAX);
    observation.excess_statements = all.count;
    observation.saved = all.duration;
    observation.remedy = Remedy::kSharedMount;
    observation.severity = Severity::kInfo;
    observation.confidence = 0.75 * grouping_confidence(trace);
    observation.evidence["double_mount_statements"] = static_cast<double>(all.count);
    report.add(std::move(observation));
  }

  const size_t min_repeats_;
  const size_t loop_keys_;
  const Micros patient_gap_;
  const Micros longest_pause_;
  const Micros mount_gap_;
  const size_t mount_statements_;
  const double min_confidence_;
  std::unordered_map<uint64_t, std::vector<Asked>> asked_;  // by signature
  std::deque<uint64_t> signatures_;                         // of asked_, oldest first
  std::vector<std::pair<QueryId, uint64_t>> questions_;     // scratch
};

std::string summarize(const Finding& finding) {
  const auto several = finding.evidence.find(kSeveral);
  const bool sure = several == finding.evidence.end() || several->second <= kSure;
  return counted(finding.occurrences, "request", "requests") +
         (sure ? " asked " : ", or pages that send several at once, asked ") +
         finding.query.summary +
         " again with the same parameters: " + grouped(finding.excess_statements) + " of " +
         grouped(finding.statements) + " statements and " + spoken(finding.saved) +
         " of database time for nothing new.";
}

}  // namespace

DetectorEntry describe_redundant_query() {
  return {"redundant_query",
          "Redundant queries",
          Occurrence::kTrace,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<RedundantQuery>(options);
          },
          &summarize,
          kHearsTraces};
}

}  // namespace ectoscope
