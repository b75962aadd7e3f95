#include "outputs/alertmanager_push.h"

#include <algorithm>
#include <utility>

namespace ectoscope {
namespace {

// A snapshot is published once a second: what it waits for here is little beside that.
constexpr std::chrono::milliseconds kLookEvery{100};
constexpr Micros kLookAgain{500'000};  // at the same snapshot: what is due for being sent again

}  // namespace

AlertmanagerPush::AlertmanagerPush(const SnapshotBoard& board, const Clock& clock,
                                   AlertingOptions options, MakeHttpPoster make_poster,
                                   AlertmanagerPeer::Tell tell)
    : board_(board),
      clock_(clock),
      make_poster_(std::move(make_poster)),
      tell_(std::move(tell)),
      options_(std::move(options)),
      book_(options_.rules) {
  set_peers();
}

AlertmanagerPush::~AlertmanagerPush() {
  stop(Micros(0));
}

void AlertmanagerPush::start() {
  thread_ = std::thread([this] { run(); });
}

void AlertmanagerPush::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    look();
    wake_.wait_for(lock, kLookEvery, [this] { return ending_; });
  }
  look();  // what came last is sent too
}

void AlertmanagerPush::look() {
  auto snapshot = board_.latest();
  const Micros now = clock_.steady();
  if (snapshot == looked_at_ && now - looked_ < kLookAgain && !ending_) return;
  looked_at_ = std::move(snapshot);
  looked_ = now;
  const Alerts alerts = book_.look(*looked_at_, clock_.wall(), now);
  if (alerts.empty()) return;
  for (const Peer& peer : peers_)
    peer.peer->put(alerts);
}

void AlertmanagerPush::reconfigure(AlertingOptions options) {
  const std::lock_guard lock(mutex_);
  const bool same_kind = options.external_labels == options_.external_labels &&
                         options.limits.queue == options_.limits.queue;
  options_ = std::move(options);
  book_.set_rules(options_.rules);
  if (!same_kind) peers_.clear();
  set_peers();
}

void AlertmanagerPush::set_peers() {
  std::vector<Peer> peers;
  bool fresh = false;
  for (const HttpTarget& target : options_.alertmanagers) {
    const auto known = std::find_if(peers_.begin(), peers_.end(), [&](const Peer& peer) {
      return peer.peer && peer.target == target;
    });
    if (known != peers_.end()) {
      peers.push_back(std::move(*known));
      continue;
    }
    fresh = true;
    peers.push_back({target, std::make_unique<AlertmanagerPeer>(target.url, make_poster_(target),
                                                                options_.limits,
                                                                options_.external_labels, tell_)});
  }
  peers_ = std::move(peers);
  if (fresh) book_.send_all_again();
}

void AlertmanagerPush::stop(Micros patience) {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (!thread_.joinable()) return;
  thread_.join();
  const std::lock_guard lock(mutex_);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (const Peer& peer : peers_)
    peer.peer->drain(deadline);
  for (const Peer& peer : peers_)
    peer.peer->join();
}

std::shared_ptr<const AlertingState> AlertmanagerPush::state() const {
  const std::lock_guard lock(mutex_);
  auto state = std::make_shared<AlertingState>();
  state->firing = book_.firing();
  for (const Peer& peer : peers_)
    state->alertmanagers.push_back(peer.peer->state());
  return state;
}

}  // namespace ectoscope
