// What every detector is.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/finding.h"
#include "core/options.h"
#include "core/query.h"
#include "core/trace.h"

namespace ectoscope {

struct Incident;         // core/incident.h
struct StatementSample;  // core/statement_sample.h

/// Looks for one kind of problem.  Each is one file in detectors/, found there by the build; its
/// name is the file's name, its findings' kind and its key under `detectors:`.
///
/// Override what you need; the defaults do nothing.
///
/// Threads: all calls on one object come from one analysis thread.
/// Cost: O(executions) a call; nothing of the arguments is held past the return.
///   State kept between calls must be bounded.
/// Errors: must not throw.  Input that it can't judge is skipped, not reported.
class Detector {
 public:
  Detector() = default;
  Detector(const Detector&) = delete;
  Detector& operator=(const Detector&) = delete;
  virtual ~Detector() = default;

  /// Each execution once, as the log has them.
  virtual void on_execution(const Execution& /*execution*/, const Query& /*query*/,
                            Report& /*report*/) {}

  /// Each trace when it has fallen quiet and again when it closes; `trace.closed` tells which.
  virtual void on_trace(const Trace& /*trace*/, const QueryTable& /*queries*/, Report& /*report*/) {
  }

  /// Each plan that auto_explain logged, with the execution that it belongs to: just before that
  /// execution's own call.  Of a statement nested in a function only what its plan told is known.
  virtual void on_plan(const std::shared_ptr<const Plan>& /*plan*/, const Execution& /*execution*/,
                       const Query& /*query*/, Report& /*report*/) {}

  /// Each message of the log that tells of an error, a wait, a spill or a connection.
  virtual void on_incident(const Incident& /*incident*/, const QueryTable& /*queries*/,
                           Report& /*report*/) {}

  /// What pg_stat_statements counted between two polls of one server, all rows of one database.
  virtual void on_samples(std::span<const StatementSample> /*samples*/,
                          const QueryTable& /*queries*/, Report& /*report*/) {}
};

/// How a finding counts: one occurrence a trace, or one an execution.
enum class Occurrence : uint8_t { kTrace, kExecution };

/// What a detector overrides: it is called with nothing else, which is what keeps an execution
/// cheap however many detectors there are.
enum Hears : uint8_t {
  kHearsExecutions = 1U << 0U,
  kHearsTraces = 1U << 1U,
  kHearsPlans = 1U << 2U,
  kHearsIncidents = 1U << 3U,
  kHearsSamples = 1U << 4U,
  kHearsAll = 0xFF,
};

/// A detector as its file describes it.
struct DetectorEntry {
  std::string_view name;
  std::string_view title;  // "N+1 reads": a heading
  Occurrence occurrence = Occurrence::kTrace;
  std::span<const OptionSpec> options;                        // static storage
  std::unique_ptr<Detector> (*make)(const Options& options);  // never returns null
  /// The finding's sentence, with its numbers, when all occurrences are counted.
  std::string (*summarize)(const Finding& finding) = nullptr;
  uint8_t hears = kHearsAll;  // bits of Hears
};

}  // namespace ectoscope
