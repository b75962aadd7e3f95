// One Alertmanager: its queue, and the thread that empties it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "core/alerting_state.h"
#include "core/http_poster.h"
#include "outputs/alertmanager_queue.h"

namespace ectoscope {

struct PeerLimits {
  size_t queue = 10'000;  // alerts
  size_t batch = 256;     // alerts a request
  Micros first_backoff{1'000'000};
  Micros most_backoff{30'000'000};
};

/// What can't be sent stays in the queue and is tried again, after 1 s, 2 s ... 30 s.  A batch that
/// the Alertmanager calls malformed or too large is sent again in halves; only an alert that it
/// refuses by itself is dropped.
///
/// Threads: any.
class AlertmanagerPeer {
 public:
  /// Told when the Alertmanager fails, and with an empty problem when it is well again.
  using Tell = std::function<void(const std::string& url, const std::string& problem)>;

  AlertmanagerPeer(std::string url, std::unique_ptr<HttpPoster> poster, PeerLimits limits,
                   AlertLabels external_labels, Tell tell);
  AlertmanagerPeer(const AlertmanagerPeer&) = delete;
  AlertmanagerPeer& operator=(const AlertmanagerPeer&) = delete;
  /// Without a drain: what is queued is lost.
  ~AlertmanagerPeer();

  void put(const Alerts& alerts);

  /// Tells it to end once all is sent or refused, an attempt fails, or at `deadline`.
  void drain(std::chrono::steady_clock::time_point deadline);
  /// Waits for that end.  What was not sent counts as dropped.
  void join();

  [[nodiscard]] AlertmanagerState state() const;

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  void run();
  void judge(const Alerts& batch, const Result<HttpReply>& answer);
  void complain(std::string problem);

  const std::string url_;
  const std::unique_ptr<HttpPoster> poster_;
  const PeerLimits limits_;
  const AlertLabels external_labels_;
  const Tell tell_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable wake_;
  AlertQueue queue_;
  AlertmanagerState state_;
  size_t batch_;  // alerts in the next request
  Micros backoff_{0};
  SteadyTime next_try_;
  bool draining_ = false;
  bool ended_ = false;
  SteadyTime deadline_;
  std::stop_source give_up_;  // what is under way
  std::thread thread_;
};

}  // namespace ectoscope
