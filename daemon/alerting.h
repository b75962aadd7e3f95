// The configuration's alerting, in the daemon's life.
#pragma once

#include <memory>
#include <string>

#include "config/config.h"
#include "daemon/own_log.h"
#include "outputs/alertmanager_push.h"

namespace ectoscope {

/// Threads: one at a time.
class Alerting {
 public:
  /// `external_url` is that of our pages.  Board, clock and log must outlive it.
  Alerting(std::shared_ptr<const Config> config, std::string external_url,
           const SnapshotBoard& board, const Clock& clock, OwnLog& log);

  void start() { push_.start(); }
  /// Sends what there is to send, for five seconds at most.
  void stop();

  /// Takes another configuration over, where `config` is one, and says how things are.
  std::shared_ptr<const AlertingState> refresh(std::shared_ptr<const Config> config);

 private:
  std::shared_ptr<const Config> config_;
  std::string external_url_;
  AlertmanagerPush push_;
};

}  // namespace ectoscope
