// One log on its own thread: follows, parses, resolves shapes, hands over executions in batches.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "config/config.h"
#include "core/hash.h"
#include "core/query.h"
#include "core/routes.h"
#include "daemon/source_batch.h"
#include "ingest/log_follower.h"
#include "parsers/execution_builder.h"
#include "parsers/log_format.h"
#include "parsers/sql_shapes.h"
#include "parsers/stream_table.h"

namespace ectoscope {

struct SourceSettings {
  uint8_t number = 0;
  std::string server;
  std::string pattern;
  std::string format;  // as InputConfig has it
  LogParserOptions parser;
  FollowSettings follow;
  LimitsConfig limits;
  SqlSettings sql;
};

/// Threads: made on one, run() on another.  `files`, `queries` must outlive it.
/// Errors: are in the batches' status; nothing ends it but being told to stop.
class SourceReader final : private FollowConsumer, private RecordHandler {
 public:
  /// False: the receiver is gone.  May wait: the file is the buffer.
  using Deliver = std::function<bool(std::unique_ptr<SourceBatch>)>;

  SourceReader(LogFiles& files, QueryTable& queries, const HashKey& key, SourceSettings settings,
               const std::vector<ResumePoint>& points);

  /// Reads until stopped.
  void run(const std::stop_token& stop, const Deliver& deliver);

 private:
  using Clock = std::chrono::steady_clock;

  void keep(std::span<const Execution> executions, std::span<const PlannedRun> plans);
  void prime(std::string_view bytes) override;
  size_t consume(const FollowedFile& file, std::string_view bytes, bool last) override;
  void skipped(const FollowedFile& file, uint64_t bytes) override;
  void on_record(const LogRecord& record) override;
  void on_late_part(const LogRecord& part) override { builder_.on_late_part(part); }

  void mark_time(const FollowedFile& file);
  void release_held(Micros now);
  bool deliver_batch(bool idle, const Deliver& deliver);
  void count_drops(DropCounts& drops) const;

  SourceSettings settings_;
  Routes routes_;
  StreamTable streams_;
  SqlShapes shapes_;
  ExecutionBuilder builder_;
  std::unique_ptr<LogParser> parser_;
  LogFollower follower_;
  std::unique_ptr<SourceBatch> batch_;
  ExecutionBuilder::Held held_;
  DropCounts primer_drops_;
  uint64_t primer_records_ = 0;
  uint64_t parsed_ = 0;  // bytes that the parser was done with
  uint64_t bytes_ = 0;   // those without the primer
  uint64_t unmarked_ = 0;
  size_t streams_sent_ = 1;
  size_t routes_sent_ = 1;
  EventTime newest_ = EventTime::min();
  EventTime marked_ = EventTime::min();
  uint64_t released_ = 0;  // what was built when held-back executions were last looked at
  Micros released_at_{0};
};

}  // namespace ectoscope
