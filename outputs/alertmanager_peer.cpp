#include "outputs/alertmanager_peer.h"

#include <algorithm>
#include <utility>

#include "outputs/alertmanager_json.h"

namespace ectoscope {
namespace {

using Clock = std::chrono::steady_clock;

/// What an Alertmanager says of alerts that it will not take however often they are sent.
bool refused(int status) {
  return status == 400 || status == 413 || status == 422;
}

std::string one_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c > '~'; }, ' ');
  return text;
}

std::string problem_of(const std::string& url, const HttpReply& reply) {
  std::string text = url + ": answered " + std::to_string(reply.status);
  if (reply.status == 401 || reply.status == 403) text += "; look at its credentials in alerting:";
  if (reply.status == 404) text += "; is its path prefix in the url?";
  if (reply.status >= 300 && reply.status < 400) text += "; name the address that it redirects to";
  const std::string body = one_line(reply.body);
  return body.empty() ? text : text + ": " + body;
}

}  // namespace

AlertmanagerPeer::AlertmanagerPeer(std::string url, std::unique_ptr<HttpPoster> poster,
                                   PeerLimits limits, AlertLabels external_labels, Tell tell)
    : url_(std::move(url)),
      poster_(std::move(poster)),
      limits_(limits),
      external_labels_(std::move(external_labels)),
      tell_(std::move(tell)),
      queue_(limits.queue),
      batch_(limits.batch),
      thread_([this] { run(); }) {}

AlertmanagerPeer::~AlertmanagerPeer() {
  drain(Clock::now());
  join();
}

void AlertmanagerPeer::put(const Alerts& alerts) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& alert : alerts)
      queue_.put(alert);
  }
  wake_.notify_all();
}

void AlertmanagerPeer::drain(Clock::time_point deadline) {
  {
    const std::lock_guard lock(mutex_);
    if (draining_) return;
    draining_ = true;
    deadline_ = deadline;
  }
  wake_.notify_all();
}

void AlertmanagerPeer::join() {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    wake_.wait_until(lock, deadline_, [this] { return ended_; });
  }
  give_up_.request_stop();
  thread_.join();
  const std::lock_guard lock(mutex_);
  const Alerts left = queue_.batch(queue_.size());
  if (!left.empty()) state_.dropped["shutdown"] += left.size();
  queue_.done(left);
}

AlertmanagerState AlertmanagerPeer::state() const {
  const std::lock_guard lock(mutex_);
  AlertmanagerState state = state_;
  state.url = url_;
  state.queued = queue_.size();
  if (queue_.dropped() > 0) state.dropped["queue_full"] = queue_.dropped();
  return state;
}

void AlertmanagerPeer::run() {
  std::unique_lock lock(mutex_);
  while (!give_up_.stop_requested()) {
    if (queue_.size() == 0) {
      if (draining_) break;
      wake_.wait(lock, [this] { return draining_ || queue_.size() > 0; });
      continue;
    }
    if (!draining_ && Clock::now() < next_try_) {
      wake_.wait_until(lock, next_try_, [this] { return draining_; });
      continue;
    }
    const Alerts batch = queue_.batch(batch_);
    lock.unlock();
    const auto answer =
        poster_->post(kAlertsPath, alerts_json(batch, external_labels_), give_up_.get_token());
    lock.lock();
    judge(batch, answer);
    if (draining_ && backoff_ > Micros(0)) break;
  }
  ended_ = true;
  wake_.notify_all();
}

void AlertmanagerPeer::judge(const Alerts& batch, const Result<HttpReply>& answer) {
  constexpr int kOk = 200;
  constexpr int kRedirects = 300;
  const int status = answer.ok() ? answer.value().status : 0;
  if (status >= kOk && status < kRedirects) {
    state_.sent += batch.size();
    queue_.done(batch);
    batch_ = std::min(batch_ * 2, limits_.batch);
    backoff_ = Micros(0);
    next_try_ = {};
    if (!state_.up) tell_(url_, "");
    state_.up = true;
    state_.problem.clear();
    return;
  }
  state_.failed += batch.size();
  if (refused(status) && batch.size() > 1) {
    batch_ = batch.size() / 2;
    return;
  }
  if (refused(status)) {
    queue_.done(batch);
    ++state_.dropped["refused"];
    backoff_ = Micros(0);  // the others need not wait for this one's sake
    next_try_ = {};
  } else {
    backoff_ = std::clamp(backoff_ * 2, limits_.first_backoff, limits_.most_backoff);
    next_try_ = Clock::now() + backoff_;
  }
  complain(answer.ok() ? problem_of(url_, answer.value()) : one_line(answer.error().message));
}

void AlertmanagerPeer::complain(std::string problem) {
  if (state_.up || problem != state_.problem) tell_(url_, problem);
  state_.up = false;
  state_.problem = std::move(problem);
}

}  // namespace ectoscope
