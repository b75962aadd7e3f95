// What tells Alertmanagers of findings: reads the published snapshot on a thread of its own.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/http_poster.h"
#include "core/snapshot.h"
#include "outputs/alertmanager_book.h"
#include "outputs/alertmanager_peer.h"

namespace ectoscope {

struct AlertingOptions {
  AlertRules rules;
  AlertLabels external_labels;
  std::vector<HttpTarget> alertmanagers;  // all are told of all alerts; none: alerts are only shown
  PeerLimits limits;
};

/// Threads: start() and stop() from one, the others from any.
class AlertmanagerPush {
 public:
  /// `board` and `clock` must outlive it.
  AlertmanagerPush(const SnapshotBoard& board, const Clock& clock, AlertingOptions options,
                   MakeHttpPoster make_poster, AlertmanagerPeer::Tell tell);
  AlertmanagerPush(const AlertmanagerPush&) = delete;
  AlertmanagerPush& operator=(const AlertmanagerPush&) = delete;
  /// Stops without a drain.
  ~AlertmanagerPush();

  void start();

  /// Alertmanagers that stay as they were keep what they have queued.
  void reconfigure(AlertingOptions options);

  /// Sends what there is to send, for as long as `patience`; then ends.  What fires goes on firing:
  /// the next process takes it up, or Alertmanager ends it.
  void stop(Micros patience);

  /// Never null.
  [[nodiscard]] std::shared_ptr<const AlertingState> state() const;

 private:
  struct Peer {
    HttpTarget target;
    std::unique_ptr<AlertmanagerPeer> peer;
  };

  void run();
  void look();
  void set_peers();

  const SnapshotBoard& board_;
  const Clock& clock_;
  const MakeHttpPoster make_poster_;
  const AlertmanagerPeer::Tell tell_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable wake_;
  bool ending_ = false;
  AlertingOptions options_;
  AlertBook book_;
  std::vector<Peer> peers_;
  std::shared_ptr<const Snapshot> looked_at_;
  Micros looked_{0};
  std::thread thread_;
};

}  // namespace ectoscope
