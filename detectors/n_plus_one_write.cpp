// N+1 writes: one request inserts, updates or deletes row by row in a loop.
//
// Not reported: statements that write several rows, a handful of rows (a form with its children),
// and the fixtures of a test in the SQL sandbox: rows that a test makes before it does anything
// else, or makes in turn with other tables' rows.
#include <algorithm>

#include "core/near_miss.h"
#include "detectors/registry.h"
#include "detectors/support/pauses.h"
#include "detectors/support/repeats.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_repeats", Type::kInteger, 5, 2, 10'000,
     "Single-row writes of one shape that make a finding; a form with its children has fewer."},
    kCriticalRepeats,
    kCriticalTime,
    kPatientGap,
    kLongestPause,
    {"min_grouping_confidence", Type::kRatio, 0.7, 0, 1,
     "Untagged statements count as one request only when grouping is at least so sure."},
};

class NPlusOneWrite final : public Detector {
 public:
  explicit NPlusOneWrite(const Options& options)
      : min_repeats_(static_cast<uint64_t>(options.integer("min_repeats"))),
        grades_(options),
        longest_pause_(options.duration("longest_pause")),
        min_confidence_(options.ratio("min_grouping_confidence")) {}

  void on_trace(const Trace& trace, const QueryTable& queries, Report& report) override {
    if (trace.confidence < min_confidence_) {
      note_unsure_repeats(trace, queries, {min_repeats_, min_confidence_}, Operation::kOther,
                          report);
      return;
    }
    note_few_repeats(trace, queries, min_repeats_, Operation::kOther, report);
    std::vector<Repeats> all = repeats_of(trace, queries, min_repeats_);
    if (all.empty()) return;
    const Pauses pauses(trace, queries, longest_pause_);
    const bool sandbox = is_sandbox(trace, queries);
    for (Repeats& repeats : all) {
      const Query& query = queries[repeats.query];
      if (!is_write(query.operation)) continue;
      std::erase_if(repeats.at,
                    [&](uint32_t i) { return !loops_over_keys(query, trace.executions[i]); });
      const bool loop = repeats.at.size() >= min_repeats_;
      if (sandbox && query.operation == Operation::kInsert) drop_fixtures(trace, queries, repeats);
      if (repeats.at.size() < min_repeats_) {
        report.near_miss({query.id,
                          kNoQuery,
                          {},
                          0,
                          0,
                          loop ? "a test in the SQL sandbox makes these rows for itself"
                               : "its repeats are no loop over single rows"});
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
  Observation describe(const Trace& trace, const Query& query, const Repeats& repeats,
                       uint32_t parent) const {
    Observation observation = observe(trace, repeats, parent);
    observation.saved = std::max(Micros(0), repeats.duration - repeats.longest);
    observation.remedy = remedy(query);
    observation.confidence = grouping_confidence(trace) * (repeats.keys_known ? 1 : 0.85);
    observation.columns = varying_columns(trace, query, repeats);
    observation.evidence["repeats"] = static_cast<double>(repeats.count);
    return observation;
  }

  static Remedy remedy(const Query& query) {
    switch (query.operation) {
      case Operation::kInsert:
        return query.on_conflict ? Remedy::kUpsertAll : Remedy::kInsertAll;
      case Operation::kUpdate:
        return Remedy::kUpdateAll;
      default:
        return Remedy::kDeleteAll;
    }
  }

  const uint64_t min_repeats_;
  const LoopGrades grades_;
  const Micros longest_pause_;
  const double min_confidence_;
};

std::string summarize(const Finding& finding) {
  const uint64_t each = repeats_each(finding);
  return counted(finding.occurrences, "request", "requests") + " ran " + finding.query.summary +
         " " + grouped(each) + " times" + (finding.occurrences == 1 ? "" : " on average") +
         ", one row each: " + grouped(finding.excess_statements) + " statements and " +
         spoken(finding.saved) + " of database time too many.";
}

}  // namespace

DetectorEntry describe_n_plus_one_write() {
  return {"n_plus_one_write",
          "N+1 writes",
          Occurrence::kTrace,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<NPlusOneWrite>(options);
          },
          &summarize,
          kHearsTraces};
}

}  // namespace ectoscope
