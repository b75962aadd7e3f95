// Executions in, findings out: grouping, detectors and the book of findings, tied together.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "core/clock.h"
#include "core/detector.h"
#include "core/execution.h"
#include "core/incident.h"
#include "core/query.h"
#include "core/routes.h"
#include "core/statement_sample.h"
#include "daemon/growth.h"
#include "daemon/overrides.h"
#include "findings/finding_book.h"
#include "findings/near_miss_book.h"
#include "parsers/execution_builder.h"
#include "parsers/stream_table.h"
#include "traces/grouper.h"
#include "traces/incident_linker.h"
#include "traces/temp_file_linker.h"

namespace ectoscope {

/// All settings that there are, from the folders that declare them.
const SettingsTables& settings_tables();

/// What names the numbers in an Execution.
struct Vocabulary {
  const QueryTable& queries;
  const Routes& routes;
  const StreamTable& streams;
};

/// What else is told of what happens; each may be null.
struct AnalysisWatchers {
  NearMissBook* near_misses = nullptr;
  GrowthCounter* growth = nullptr;
  const Clock* clock = nullptr;  // to measure what detectors take
  FindingHooks hooks = {};       // what a server adds to findings; empty: advice alone
};

/// One server's.  Threads: one at a time.  The vocabulary and the watchers must
/// outlive it.
class Analysis {
 public:
  /// `examples` are kept for each finding.
  Analysis(const Config& config, const Vocabulary& words, size_t examples,
           AnalysisWatchers watchers = {}, Grouper::Judging judging = Grouper::Judging::kClosed);
  Analysis(const Analysis&) = delete;
  Analysis& operator=(const Analysis&) = delete;
  ~Analysis();

  /// In the order of the log; `plans` are of these executions and in their order.
  void add(std::span<const Execution> executions, std::span<const PlannedRun> plans);
  void add(const Incident& incident);

  /// What one poll of pg_stat_statements brought.
  void add_samples(const std::string& server, const DatabaseSamples& samples);

  /// One that was added before a restart: it is grouped where it still waited for that, and tells
  /// what led to others.
  void add_again(const Execution& execution, Grouper::Awaits awaits) {
    linker_.add({&execution, 1});
    grouper_->add_again(execution, awaits);
  }

  /// Event time has come to `now`, without anything else.
  void advance(EventTime now) {
    linker_.advance(now);
    grouper_->advance(now);
  }

  /// The input ends: judges what is still open.
  void finish();

  /// Visits the incidents that wait for their end, and from when on the log tells of them.
  void visit_waits(const std::function<void(const Incident&, EventTime needed)>& visit) const {
    linker_.visit_waits(visit);
  }

  /// Takes over the detectors' settings; one whose own did not change keeps its state.
  void reconfigure(const Config& config);

  /// Traces and incidents that were judged, once for each time.
  [[nodiscard]] uint64_t judgements() const { return judgements_; }

  /// What each detector took of the thread's time, about: one call in kSampled is measured.
  [[nodiscard]] std::map<std::string, double> detector_seconds() const;

  Grouper& grouper() { return *grouper_; }
  [[nodiscard]] const Grouper& grouper() const { return *grouper_; }
  FindingBook& book() { return book_; }
  [[nodiscard]] const FindingBook& book() const { return book_; }

 private:
  /// A detector and the way from its report to the book.
  class Judge;

  static constexpr uint32_t kSampled = 32;

  void judge_plan(const PlannedRun& run);
  void on_trace(const Trace& trace);
  void on_incident(const Incident& incident);

  Vocabulary words_;
  AnalysisWatchers watchers_;
  Config config_;
  std::unique_ptr<OverrideSelector> overrides_;
  FindingBook book_;
  std::vector<std::unique_ptr<Judge>> judges_;
  std::vector<Judge*> of_executions_;
  std::vector<Judge*> of_traces_;
  std::vector<Judge*> of_incidents_;
  std::vector<Judge*> of_samples_;
  std::unique_ptr<Grouper> grouper_;
  uint64_t judgements_ = 0;
  IncidentLinker linker_;
  TempFileLinker temp_files_;
};

}  // namespace ectoscope
