// One finding per problem, gathered from the observations of its occurrences.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/detector.h"
#include "core/execution.h"
#include "core/finding.h"
#include "core/query.h"
#include "core/trace.h"
#include "findings/finding_totals.h"

namespace ectoscope {

struct FindingLimits {
  static constexpr size_t kAllExamples = 100'000;  // what `--examples=all` means

  size_t findings = 10'000;
  size_t examples = 5;          // kept a finding, worst first; the rest is counted
  size_t timeline = 60;         // steps of the worst example
  size_t open_traces = 10'000;  // whose judgement may still be replaced
};

/// What an observation is of.  At most one of `trace` and `execution` is given, none for an
/// incident; read during the call alone.
struct Occasion {
  const Trace* trace = nullptr;
  const Execution* execution = nullptr;
  const Stream& stream;
  std::string_view route = {};
  std::string_view place = {};
};

/// What the caller may add to a finding; any may be empty.
struct FindingHooks {
  std::function<Fix(const AdviceRequest&, const std::string& database)> advise;
  /// pg_stat_statements'
  std::function<std::optional<int64_t>(QueryId, const std::string& database)> queryid;
};

/// What a book that is kept from one process to the next tells; either may be empty.
struct BookWatchers {
  /// An occurrence counts for good, under this finding.
  std::function<void(const std::string& id, const Occurred&)> counted;
  /// The book is full: which finding may go.
  std::function<std::optional<std::string>()> make_room;
};

/// Threads: one at a time.  `queries` must outlive the book.
class FindingBook {
 public:
  explicit FindingBook(const QueryTable& queries, FindingLimits limits = {},
                       FindingHooks hooks = {});

  /// Detectors are about to judge `trace`: what they said of it before no longer holds.  Without
  /// this call only an observation of the same kind and shape replaces an earlier one.
  void begin_judgement(const Trace& trace);

  /// A trace counts once under one (kind, child shape, database, server) however often it is
  /// judged, and with the parent that the last judgement names.  If one judgement names two, the
  /// one with more repeats stays.  A closed trace must not come again after another one.
  void add(const DetectorEntry& entry, Observation observation, const Occasion& occasion);

  /// What pg_stat_statements told of `executions` runs between two polls: as many occurrences, one
  /// example for them all.
  void add_sampled(const DetectorEntry& entry, Observation observation, uint64_t executions,
                   const Stream& stream);

  /// Of an execution's observation that was added; of a finding that is gone it counts for nothing.
  void amend(const DetectorEntry& entry, const Amendment& amendment, const Stream& stream);

  /// Costliest first: by what would be saved, then by database time, then by id.
  [[nodiscard]] std::vector<Finding> findings() const;

  [[nodiscard]] size_t size() const { return by_id_.size(); }

  // For a book that is kept from one process to the next.

  /// What a finding is made of.  Valid until the next call that is not const.
  struct Known {
    const DetectorEntry& entry;
    const std::string& server;
    const std::string& database;
    QueryId query;
    QueryId parent;
    const FindingTotals& totals;  // of occurrences that count for good
  };

  void watch(BookWatchers watchers) { watchers_ = std::move(watchers); }
  /// A closed trace counts when the next one is judged, or now.
  void settle_closed();
  /// Ids of findings that may read differently since the last call.
  std::vector<std::string> take_changes();
  /// Those of `ids` that have occurrences, in no order.
  [[nodiscard]] std::vector<Finding> findings(std::span<const std::string> ids) const;
  [[nodiscard]] std::optional<Known> known(const std::string& id) const;
  /// What an earlier process knew, before anything is added.
  void restore(const std::string& id, const Known& known);
  void forget(const std::string& id);

  /// Observations left out because the book was full.
  [[nodiscard]] uint64_t dropped() const { return dropped_; }

 private:
  struct Problem {
    std::string id;
    const DetectorEntry* entry;  // null: forgotten
    std::string server;
    std::string database;
    QueryId query;
    QueryId parent;
    FindingTotals totals;
    uint64_t place = 0;  // see Open
  };
  struct Open {
    uint64_t place;  // hash of kind, child, database and server: what a trace counts once under
    uint64_t judgement;
    size_t problem;
    Occurred occurred;
  };

  [[nodiscard]] std::string_view canonical(QueryId id) const;
  std::optional<size_t> problem_of(const DetectorEntry& entry, const Observation& observation,
                                   const Stream& stream);
  std::optional<size_t> find_or_add(const DetectorEntry& entry, const Observation& observation,
                                    const Stream& stream);
  [[nodiscard]] uint64_t place_of(const Problem& problem) const;
  [[nodiscard]] std::vector<TimelineStep> timeline_of(const Trace& trace,
                                                      const Observation& observation) const;
  void add_to_trace(const Trace& trace, Open open);
  size_t place(Problem problem);
  void settle(uint64_t trace_number);
  void count(size_t problem, const Occurred& occurred);
  [[nodiscard]] std::vector<Finding> describe(std::vector<size_t> problems) const;
  void turn_to(const Trace& trace);
  [[nodiscard]] Finding describe(const Problem& problem, const FindingTotals& totals) const;
  [[nodiscard]] QueryFacts facts_of(QueryId id, const std::string& database) const;

  const QueryTable& queries_;
  FindingLimits limits_;
  FindingHooks hooks_;
  BookWatchers watchers_;
  std::deque<Problem> problems_;  // some KiB each: never all of them twice, as a vector grows
  std::vector<size_t> free_;      // places in problems_
  std::set<size_t> changed_;      // likewise
  std::unordered_map<std::string, size_t> by_id_;
  std::array<size_t, 256> recent_{};  // places in problems_, some of them another's by now
  std::map<uint64_t, std::vector<Open>> open_;  // by Trace::number
  uint64_t judgement_ = 0;                      // counts calls of begin_judgement()
  std::optional<uint64_t> closing_;             // the trace of the latest call, if it is closed
  uint64_t dropped_ = 0;
};

}  // namespace ectoscope
