// The daemon's life: its servers, the snapshot they make together, reloading.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/config.h"
#include "core/clock.h"
#include "core/control.h"
#include "core/files.h"
#include "core/log_files.h"
#include "core/snapshot.h"
#include "daemon/own_log.h"
#include "daemon/page_ignores.h"
#include "daemon/server_worker.h"

namespace ectoscope {

/// What it stands on.  All outlive it.
struct DaemonSeams {
  Files& files;
  LogFiles& log_files;
  const Clock& clock;
  OwnLog& log;
  Store& store;
  ConnectServer connect = &connect_postgres;
};

/// Threads: start(), stop() and publish() from one; Control from any.
class Daemon final : public Control {
 public:
  /// `config_file` is read again at a reload; empty: there is none to read.
  Daemon(const DaemonSeams& seams, Config config, std::string config_file);
  ~Daemon() override;

  void start();
  /// Ends all threads; what was counted is kept.
  void stop();

  /// Puts what the servers have to show on the board, problems that are not theirs, and what is
  /// known of alerts.
  void publish(std::vector<std::string> problems = {},
               std::shared_ptr<const AlertingState> alerting = nullptr);

  [[nodiscard]] const SnapshotBoard& board() const { return board_; }
  [[nodiscard]] std::shared_ptr<const Config> config() const;

  std::optional<std::string> reload() override;
  bool acknowledge(const std::string& finding_id, const std::string& by,
                   const std::string& why) override;
  Result<bool> ignore(const std::string& finding_id, const std::string& by,
                      const std::string& why) override;
  Result<bool> hear_again(const std::string& finding_id) override;
  std::vector<HistoryHour> history(const std::string& finding_id) override;
  NearlyFound nearly_found() override;

 private:
  void show_workers(Snapshot& snapshot);
  void restart_workers();
  void take_over(std::shared_ptr<const Config> config);
  std::unique_ptr<ServerWorker> make_worker(const ServerConfig& server);
  void spread_ignores();

  DaemonSeams seams_;
  std::string config_file_;
  HashKey key_;
  std::unique_ptr<QueryTable> queries_;
  SnapshotBoard board_;
  std::mutex reloading_;
  mutable std::mutex mutex_;  // of what follows
  std::shared_ptr<const Config> config_;
  PageIgnores page_ignores_;
  std::vector<std::unique_ptr<ServerWorker>> workers_;
  std::string reload_problem_;  // of the last reload; empty: the file's configuration runs
  EventTime reloaded_at_;
};

}  // namespace ectoscope
