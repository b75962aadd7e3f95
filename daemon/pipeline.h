// Records in, a report out: what `analyze` runs.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "core/execution.h"
#include "core/hash.h"
#include "core/query.h"
#include "core/report.h"
#include "core/routes.h"
#include "daemon/analysis.h"
#include "daemon/growth.h"
#include "findings/ignored_statements.h"
#include "findings/near_miss_book.h"
#include "parsers/execution_builder.h"
#include "parsers/log_record.h"
#include "parsers/sql_shapes.h"
#include "parsers/stream_table.h"

namespace ectoscope {

/// Which executions are looked at; all of them by default.
struct ExecutionFilter {
  std::optional<EventTime> since;  // those that start at it or later
  std::optional<EventTime> until;  // those that start before it
  std::optional<std::string> database;
};

/// What a run keeps.
struct PipelineExtras {
  size_t examples = 5;  // for each finding
  bool near_misses = false;
  bool growth = false;
};

/// Threads: one at a time.  Feed records(), tell what each parser dropped, then finish() once.
class Pipeline {
 public:
  Pipeline(const Config& config, ExecutionFilter filter, PipelineExtras extras);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline();

  /// Takes the records of one log, in the order of its files.
  RecordHandler& records() { return *builder_; }

  /// A log file has been read to its end.
  void file_ended(const LogParser& parser, uint64_t bytes);

  /// Judges what is still open.  Nothing may be fed afterwards.
  AnalysisReport finish();

  /// All shapes seen; lives as long as the pipeline.
  [[nodiscard]] const QueryTable& queries() const { return queries_; }

  /// What ectoscope:ignore comments kept from being judged.
  [[nodiscard]] const IgnoredStatements& ignored() const { return ignored_; }

  /// Of all statements, sorted, each once.
  [[nodiscard]] std::set<std::string> databases() const;

  /// Null unless they were asked for.
  [[nodiscard]] const NearMissBook* near_misses() const { return near_misses_.get(); }
  [[nodiscard]] const GrowthCounter* growth() const { return growth_.get(); }

 private:
  void on_executions(std::span<const Execution> executions, std::span<const PlannedRun> plans);
  void leave_out(std::span<const Execution> executions, std::span<const PlannedRun> plans,
                 size_t first_out);
  /// Counts what is not for its ectoscope:ignore comment.
  bool to_judge(const Execution& execution);
  [[nodiscard]] bool wanted(const Execution& execution) const;
  [[nodiscard]] bool wanted(const Incident& incident) const;
  void add_drops(const DropCounts& drops);

  ExecutionFilter filter_;
  HashKey key_;
  QueryTable queries_;
  Routes routes_;
  StreamTable streams_;
  SqlShapes shapes_;
  std::unique_ptr<NearMissBook> near_misses_;
  std::unique_ptr<GrowthCounter> growth_;
  Analysis analysis_;
  std::unique_ptr<ExecutionBuilder> builder_;
  std::vector<Execution> wanted_;         // scratch
  std::vector<PlannedRun> wanted_plans_;  // scratch
  InputFacts facts_;
  IgnoredStatements ignored_;
};

}  // namespace ectoscope
