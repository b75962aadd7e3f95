#include "outputs/front_loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ectoscope {
namespace {

constexpr uint64_t kWakeId = 0;
constexpr uint64_t kFirstListener = 1;
constexpr std::chrono::milliseconds kSweep{200};  // how exact deadlines are

}  // namespace

HttpFront::Loop::Loop(FrontLimits limits, Hooks hooks)
    : limits_(limits),
      hooks_(std::move(hooks)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  watch(wake_.get(), kWakeId, EPOLLIN, EPOLL_CTL_ADD);
}

Result<uint16_t> HttpFront::Loop::listen(const std::string& address) {
  auto listener = listen_on(address);
  if (!listener.ok()) return listener.error();
  listeners_.push_back(std::move(listener.value()));
  return listeners_.back().port;
}

void HttpFront::Loop::start() {
  // OpenSSL writes without MSG_NOSIGNAL: a client that has gone is an error to handle.
  std::signal(SIGPIPE, SIG_IGN);
  listen_for_clients(true);
  lanes_.start(limits_.workers);
  thread_ = std::thread([this] { run(); });
}

void HttpFront::Loop::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  wake();
  thread_.join();
  lanes_.stop();
  connections_.clear();
  listeners_.clear();
  count_ = 0;
}

void HttpFront::Loop::wake() const {
  const uint64_t one = 1;
  while (write(wake_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void HttpFront::Loop::watch(int fd, uint64_t id, uint32_t events, int operation) const {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  epoll_ctl(epoll_.get(), operation, fd, &event);
}

void HttpFront::Loop::listen_for_clients(bool on) {
  if (accepting_ == on) return;
  accepting_ = on;
  for (size_t i = 0; i < listeners_.size(); ++i) {
    watch(listeners_[i].socket.get(), kFirstListener + i, EPOLLIN,
          on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL);
  }
}

void HttpFront::Loop::run() {
  std::array<epoll_event, 64> events{};
  Clock::time_point swept = Clock::now();
  std::optional<Clock::time_point> stop_by;
  while (true) {
    const bool timed = !connections_.empty() || !accepting_ || stop_by;
    const int ready = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 timed ? static_cast<int>(kSweep.count()) : -1);
    for (int i = 0; i < ready; ++i)
      on_event(events[static_cast<size_t>(i)]);
    const auto now = Clock::now();
    if (stopping_ && !stop_by) {
      stop_by = now + limits_.stop_time;
      listen_for_clients(false);
    }
    if (stop_by && (now >= *stop_by || !busy())) return;
    if (now - swept >= kSweep) {
      swept = now;
      sweep(now);
      if (!stop_by) listen_for_clients(true);
    }
  }
}

bool HttpFront::Loop::busy() const {
  return std::any_of(connections_.begin(), connections_.end(), [](const auto& item) {
    const Phase phase = item.second.phase;
    return phase == Phase::kAnswering || phase == Phase::kWriting || phase == Phase::kLeaving;
  });
}

void HttpFront::Loop::on_event(const epoll_event& event) {
  const uint64_t id = event.data.u64;
  if (id == kWakeId) {
    uint64_t ignored = 0;
    [[maybe_unused]] const ssize_t got = read(wake_.get(), &ignored, sizeof ignored);
    take_answers();
  } else if (id < kFirstConnection) {
    accept_clients(listeners_[id - kFirstListener].socket.get());
  } else if (connections_.contains(id)) {
    advance(id);
  }
}

void HttpFront::Loop::accept_clients(int listener) {
  while (true) {
    UniqueFd socket(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.get() < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        cut_oldest("too_many_connections");
        listen_for_clients(false);  // until the next sweep, or this would spin
      }
      if (errno == ECONNABORTED || errno == EINTR) continue;
      return;
    }
    if (connections_.size() >= limits_.connections && !cut_oldest("too_many_connections")) {
      hooks_.cut("too_many_connections");
      continue;
    }
    const int on = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    welcome(std::move(socket));
  }
}

void HttpFront::Loop::welcome(UniqueFd socket) {
  Connection client;
  client.remote_address = remote_address_of(socket.get());
  if (tls_) {
    const std::shared_ptr<TlsContext> context = tls_();
    if (!context) {
      hooks_.cut("tls");
      return;
    }
    client.channel = tls_channel(std::move(socket), context);
  } else {
    client.channel = plain_channel(std::move(socket));
  }
  const uint64_t id = next_id_++;
  client.interest = EPOLLIN;
  watch(client.channel->fd(), id, client.interest, EPOLL_CTL_ADD);
  enter(client, Phase::kGreeting, limits_.request_time);
  connections_.emplace(id, std::move(client));
  count_ = connections_.size();
  advance(id);
}

void HttpFront::Loop::enter(Connection& client, Phase phase, std::chrono::milliseconds time) {
  client.phase = phase;
  client.since = Clock::now();
  client.deadline = client.since + time;
}

void HttpFront::Loop::drop(uint64_t id) {
  const auto found = connections_.find(id);
  unsent_ -= found->second.out.size();
  connections_.erase(found);
  count_ = connections_.size();
}

bool HttpFront::Loop::cut_oldest(std::string_view reason, bool writing_only) {
  auto oldest = connections_.end();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    const Connection& client = it->second;
    if (client.phase == Phase::kAnswering) continue;
    if (writing_only && client.phase != Phase::kWriting) continue;
    if (oldest == connections_.end() || client.since < oldest->second.since) oldest = it;
  }
  if (oldest == connections_.end()) return false;
  hooks_.cut(reason);
  drop(oldest->first);
  return true;
}

void HttpFront::Loop::sweep(Clock::time_point now) {
  std::vector<uint64_t> late;
  for (const auto& [id, client] : connections_) {
    if (client.phase != Phase::kAnswering && client.deadline <= now) late.push_back(id);
  }
  for (const uint64_t id : late) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) continue;  // cut to make room for another's refusal
    Connection& client = found->second;
    if (client.phase == Phase::kGreeting) hooks_.cut("tls");
    if (client.phase == Phase::kWriting) hooks_.cut("answer_timeout");
    if (client.phase == Phase::kReading && !client.in.empty()) {
      hooks_.cut("request_timeout");
      say_goodbye(id, client, hooks_.refusal(408));
    } else {
      drop(id);
    }
  }
}

void HttpFront::Loop::want(uint64_t id, Connection& client, uint32_t events) const {
  if (client.interest == events) return;
  client.interest = events;
  watch(client.channel->fd(), id, events, EPOLL_CTL_MOD);
}

}  // namespace ectoscope
