// N+1 reads: one request runs one SELECT again and again, each time for another key, where a single
// query for all keys would do.
//
// Where the log does not show statements, pg_stat_statements' numbers make suspects of low
// confidence.
//
// Not reported: preloads (their key is a list), pages (a range with a limit), cursors, the same key
// again (redundant_query), and chains that grouping is not sure of.
#include <algorithm>

#include "core/near_miss.h"
#include "detectors/registry.h"
#include "detectors/support/pauses.h"
#include "detectors/support/ratio_suspects.h"
#include "detectors/support/repeats.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_repeats", Type::kInteger, 5, 2, 10'000,
     "Repeats with different keys that make a finding; tools agree on 5 in production, 3 in "
     "tests."},
    kCriticalRepeats,
    kCriticalTime,
    kPatientGap,
    kLongestPause,
    {"min_grouping_confidence", Type::kRatio, 0.7, 0, 1,
     "Untagged statements count as one request only when grouping is at least so sure."},
};

class NPlusOneRead final : public Detector {
 public:
  explicit NPlusOneRead(const Options& options)
      : min_repeats_(static_cast<uint64_t>(options.integer("min_repeats"))),
        grades_(options),
        longest_pause_(options.duration("longest_pause")),
        min_confidence_(options.ratio("min_grouping_confidence")),
        suspects_(min_repeats_) {}

  void on_samples(std::span<const StatementSample> samples, const QueryTable& queries,
                  Report& report) override {
    suspects_.judge(samples, queries, report);
  }

  void on_trace(const Trace& trace, const QueryTable& queries, Report& report) override {
    if (trace.confidence < min_confidence_) {
      note_unsure_repeats(trace, queries, {min_repeats_, min_confidence_}, Operation::kSelect,
                          report);
      return;
    }
    note_few_repeats(trace, queries, min_repeats_, Operation::kSelect, report);
    std::vector<Repeats> all = repeats_of(trace, queries, min_repeats_);
    if (all.empty()) return;
    const Pauses pauses(trace, queries, longest_pause_);
    for (Repeats& repeats : all) {
      const Query& query = queries[repeats.query];
      if (query.operation != Operation::kSelect) continue;
      if (!keep_loops(trace, query, repeats)) {
        report.near_miss({query.id,
                          kNoQuery,
                          {},
                          0,
                          0,
                          "its repeats are no loop over single keys: a list, a page, a cursor"});
        continue;
      }
      pauses.drop_lone(min_repeats_, repeats, report);
      if (repeats.at.empty()) continue;
      uint32_t parent = UINT32_MAX;
      const QueryId parent_query = find_parent(trace, queries, repeats, &parent);
      measure(trace, queries, repeats);
      if (too_few(repeats, min_repeats_, parent_query, report)) continue;
      Observation observation = describe(trace, query, repeats, parent);
      observation.excess_statements = pauses.excess(repeats);
      pauses.grade(repeats, grades_, observation);
      report.add(std::move(observation));
    }
  }

 private:
  static bool keep_loops(const Trace& trace, const Query& query, Repeats& repeats) {
    std::erase_if(repeats.at,
                  [&](uint32_t i) { return !loops_over_keys(query, trace.executions[i]); });
    return !repeats.at.empty();
  }

  Observation describe(const Trace& trace, const Query& query, const Repeats& repeats,
                       uint32_t parent) const {
    Observation observation = observe(trace, repeats, parent);
    // One query for all keys costs about what the dearest of the single ones does.
    observation.saved = std::max(Micros(0), repeats.duration - repeats.longest);
    observation.remedy = query.aggregate ? Remedy::kGroupBy : Remedy::kPreload;
    observation.confidence = grouping_confidence(trace) * (repeats.keys_known ? 1 : 0.85) *
                             (parent == UINT32_MAX ? 0.95 : 1);
    observation.columns = varying_columns(trace, query, repeats);
    observation.evidence["repeats"] = static_cast<double>(repeats.count);
    if (repeats.keys_known)
      observation.evidence["distinct_keys"] = static_cast<double>(repeats.distinct_keys);
    return observation;
  }

  const uint64_t min_repeats_;
  const LoopGrades grades_;
  const Micros longest_pause_;
  const double min_confidence_;
  RatioSuspects suspects_;
};

std::string summarize(const Finding& finding) {
  const uint64_t each = repeats_each(finding);
  if (finding.evidence.contains("calls_per_parent_row") && finding.parent_query) {
    return "By pg_stat_statements, " + finding.query.summary + " runs once for each row of " +
           finding.parent_query->summary + ": " + grouped(finding.excess_statements) +
           " statements and " + spoken(finding.saved) +
           " of database time too many, if requests do that in a loop.";
  }
  std::string text = counted(finding.occurrences, "request", "requests") + " ran " +
                     finding.query.summary + " " + grouped(each) + " times" +
                     (finding.occurrences == 1 ? "" : " on average") + ", once for each key";
  if (finding.parent_query) text += ", after " + finding.parent_query->summary;
  return text + ": " + grouped(finding.excess_statements) + " statements and " +
         spoken(finding.saved) + " of database time too many.";
}

}  // namespace

DetectorEntry describe_n_plus_one_read() {
  return {"n_plus_one_read",
          "N+1 reads",
          Occurrence::kTrace,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<NPlusOneRead>(options);
          },
          &summarize,
          kHearsTraces | kHearsSamples};
}

}  // namespace ectoscope
