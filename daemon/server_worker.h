// One PostgreSQL server in the daemon: its logs on a thread each, the analysis on another.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "config/config.h"
#include "core/clock.h"
#include "core/control.h"
#include "core/hash.h"
#include "core/log_files.h"
#include "core/query.h"
#include "core/routes.h"
#include "core/snapshot.h"
#include "daemon/analysis.h"
#include "daemon/bounded_queue.h"
#include "daemon/ignored_findings.h"
#include "daemon/near_misses.h"
#include "daemon/own_log.h"
#include "daemon/server_link.h"
#include "daemon/source_batch.h"
#include "daemon/source_progress.h"
#include "daemon/source_reader.h"
#include "findings/finding_tracker.h"
#include "findings/statement_book.h"
#include "findings/store.h"
#include "parsers/stream_table.h"

namespace ectoscope {

/// What all servers of a process share.  All outlive the workers.
struct Surroundings {
  LogFiles& files;
  const Clock& clock;
  QueryTable& queries;
  HashKey key;
  OwnLog& log;
  Store& store;
  ConnectServer connect;
};

/// A server's part of the snapshot.
struct ServerView {
  std::vector<std::shared_ptr<const TrackedFinding>> findings;
  std::vector<std::shared_ptr<const QueryStatistics>> queries;
  std::vector<SourceState> sources;
  ServerState state;
  std::shared_ptr<const NearlyFound> nearly_found;  // null: nothing was
  bool tried = false;                               // each log was looked at
};

/// Threads: made, started and stopped by one; view() and reconfigure() from any.
class ServerWorker {
 public:
  ServerWorker(ServerConfig server, std::shared_ptr<const Config> config,
               const Surroundings& around);
  ServerWorker(const ServerWorker&) = delete;
  ServerWorker& operator=(const ServerWorker&) = delete;
  /// Stops.
  ~ServerWorker();

  void start();
  /// Ends the threads and commits; what was not analysed yet is read again at the next start.
  void stop();

  /// Threads: any.  It shows at the next publishing.
  void acknowledge(const std::string& finding, const Acknowledgement& acknowledgement);

  /// Threads: any.  Beside the configuration's rules, in place of those given before.
  void ignore_also(std::vector<IgnoreRule> rules) { ignored_.from_pages(std::move(rules)); }

  /// The detectors' settings and the limits on age, from the next batch on.
  void reconfigure(std::shared_ptr<const Config> config);

  /// Never null; made anew once a second at most.
  [[nodiscard]] std::shared_ptr<const ServerView> view() const;

  [[nodiscard]] const ServerConfig& server() const { return server_; }

 private:
  /// A log, as the analysis sees it.
  struct Source {
    explicit Source(const SourceCheckpoint& before) : progress(before) {}

    SourceProgress progress;
    std::vector<StreamId> streams{0};  // its numbers to ours
    std::vector<uint32_t> routes{0};
    std::vector<uint32_t> databases{0};  // of its streams, in the statement book
    std::vector<bool> wanted{true};      // likewise
    FollowStatus status;
    uint64_t bytes = 0;
    uint64_t records = 0;
    DropCounts drops;
    InputFidelity fidelity;
    EventTime newest = EventTime::min();
    EventTime oldest_complete = EventTime::max();
    bool idle = false;
    std::string told;  // the problem that was logged last
  };

  void analyse(const std::stop_token& stop);
  void take(SourceBatch& batch);
  void learn_names(Source& source, const SourceBatch& batch);
  void sort_out(Source& source, SourceBatch& batch);
  void sort_out_incident(Source& source, uint8_t number, BatchIncident held);
  void analyse_fresh();
  void analyse_again(Execution execution, Grouper::Awaits awaits);
  static void renumber(const Source& source, uint8_t number, Execution& execution);
  void take_samples();
  void count_samples(const DatabaseSamples& samples, InputFidelity::Statements log);
  void advance_event_time();
  void take_configuration();
  void take_acknowledgements();
  void restore();
  void commit();
  [[nodiscard]] std::vector<SourceProgress::Unsettled> unsettled() const;
  [[nodiscard]] std::vector<SourceCheckpoint> checkpoints();
  void publish();
  [[nodiscard]] ServerState describe() const;
  [[nodiscard]] std::map<std::string, uint64_t> dropped() const;  // by reason
  [[nodiscard]] SourceState describe(const Source& source) const;
  void add_sources(ServerState& state) const;
  void tell_problem(Source& source);
  [[nodiscard]] SourceSettings settings_of(size_t source) const;

  ServerConfig server_;
  std::shared_ptr<const Config> config_;
  Surroundings around_;

  Routes routes_;
  StreamTable streams_;
  StatementBook statements_;
  std::unique_ptr<ServerLink> link_;  // null: no connection is wanted
  uint64_t link_news_ = 0;            // what was shown of it
  std::string link_told_;             // its problem that was logged last
  std::unique_ptr<Analysis> analysis_;
  std::unique_ptr<FindingTracker> tracker_;
  NearMisses near_misses_;
  IgnoredFindings ignored_;
  std::vector<Source> sources_;
  std::vector<Execution> fresh_;                // scratch
  std::vector<PlannedRun> fresh_plans_;         // scratch
  std::vector<PlannedRun> part_plans_;          // scratch
  std::vector<BatchIncident> fresh_incidents_;  // scratch
  EventTime event_now_ = EventTime::min();
  Micros event_read_at_{0};  // when the newest stamp came
  Micros published_at_{0};
  Micros committed_at_{0};
  uint64_t renewals_ = 0;
  uint64_t out_of_reach_ = 0;  // open executions that no checkpoint holds
  bool changed_ = true;
  bool uncommitted_ = false;

  BoundedQueue<std::unique_ptr<SourceBatch>> queue_;
  std::vector<std::unique_ptr<SourceReader>> readers_;
  mutable std::mutex mutex_;  // of what follows
  std::shared_ptr<const ServerView> view_;
  std::shared_ptr<const Config> new_config_;
  std::map<std::string, Acknowledgement> acknowledgements_;
  std::vector<std::jthread> threads_;
};

}  // namespace ectoscope
