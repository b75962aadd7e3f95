#include "outputs/http_front.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>

#include "outputs/channel.h"
#include "outputs/listener.h"
#include "outputs/tls_context.h"

namespace ectoscope {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kWakeId = 0;
constexpr uint64_t kFirstListener = 1;
constexpr uint64_t kFirstConnection = 1000;
constexpr std::chrono::milliseconds kSweep{200};  // how exact deadlines are
constexpr size_t kReadBytes = size_t{16} * 1024;
constexpr std::string_view kPlainOnTls =
    "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    "\r\nThis port speaks HTTPS: write https:// in the address.\n";

enum class Phase : uint8_t { kGreeting, kReading, kAnswering, kWriting, kLeaving };

struct Connection {
  std::unique_ptr<Channel> channel;
  std::string remote_address;
  Phase phase = Phase::kGreeting;
  std::string in;
  std::string out;
  size_t sent = 0;
  bool close_after = false;
  uint32_t interest = 0;
  Clock::time_point since;     // of the phase
  Clock::time_point deadline;  // of the phase; none while answering
};

}  // namespace

class HttpFront::Loop {
 public:
  Loop(FrontLimits limits, Hooks hooks)
      : limits_(limits),
        hooks_(std::move(hooks)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    watch(wake_.get(), kWakeId, EPOLLIN, EPOLL_CTL_ADD);
  }

  ~Loop() { stop(); }

  Result<uint16_t> listen(const std::string& address) {
    auto listener = listen_on(address);
    if (!listener.ok()) return listener.error();
    listeners_.push_back(std::move(listener.value()));
    return listeners_.back().port;
  }

  void use_tls(std::function<std::shared_ptr<TlsContext>()> tls) { tls_ = std::move(tls); }

  void start() {
    // OpenSSL writes without MSG_NOSIGNAL: a client that has gone is an error to handle.
    std::signal(SIGPIPE, SIG_IGN);
    listen_for_clients(true);
    lanes_.start(limits_.workers);
    thread_ = std::thread([this] { run(); });
  }

  void stop() {
    if (!thread_.joinable()) return;
    stopping_ = true;
    wake();
    thread_.join();
    lanes_.stop();
    connections_.clear();
    listeners_.clear();
    count_ = 0;
  }

  [[nodiscard]] size_t count() const { return count_; }

 private:
  void wake() const {
    const uint64_t one = 1;
    while (write(wake_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
  }

  void watch(int fd, uint64_t id, uint32_t events, int operation) const {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    epoll_ctl(epoll_.get(), operation, fd, &event);
  }

  void listen_for_clients(bool on) {
    if (accepting_ == on) return;
    accepting_ = on;
    for (size_t i = 0; i < listeners_.size(); ++i) {
      watch(listeners_[i].socket.get(), kFirstListener + i, EPOLLIN,
            on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL);
    }
  }

  void run() {
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

  [[nodiscard]] bool busy() const {
    return std::any_of(connections_.begin(), connections_.end(), [](const auto& item) {
      const Phase phase = item.second.phase;
      return phase == Phase::kAnswering || phase == Phase::kWriting || phase == Phase::kLeaving;
    });
  }

  void on_event(const epoll_event& event) {
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

  void accept_clients(int listener) {
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

  void welcome(UniqueFd socket) {
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

  static void enter(Connection& client, Phase phase, std::chrono::milliseconds time) {
    client.phase = phase;
    client.since = Clock::now();
    client.deadline = client.since + time;
  }

  void drop(uint64_t id) {
    const auto found = connections_.find(id);
    unsent_ -= found->second.out.size();
    connections_.erase(found);
    count_ = connections_.size();
  }

  /// Of those that nobody works for, the one that is in its phase longest.
  bool cut_oldest(std::string_view reason, bool writing_only = false) {
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

  void sweep(Clock::time_point now) {
    std::vector<uint64_t> late;
    for (const auto& [id, client] : connections_) {
      if (client.phase != Phase::kAnswering && client.deadline <= now) late.push_back(id);
    }
    for (const uint64_t id : late) {
      Connection& client = connections_.at(id);
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

  void want(uint64_t id, Connection& client, uint32_t events) const {
    if (client.interest == events) return;
    client.interest = events;
    watch(client.channel->fd(), id, events, EPOLL_CTL_MOD);
  }

  /// Goes on with a connection as far as it goes without waiting.
  void advance(uint64_t id) {
    Connection& client = connections_.at(id);
    switch (client.phase) {
      case Phase::kGreeting:
        return greet(id, client);
      case Phase::kReading:
        return receive(id, client);
      case Phase::kAnswering:
        return drop(id);  // nothing is watched: the client has gone
      case Phase::kWriting:
        return send_on(id, client);
      case Phase::kLeaving:
        return see_off(id, client);
    }
  }

  void greet(uint64_t id, Connection& client) {
    switch (client.channel->greet()) {
      case Channel::State::kDone:
        // The time for the greeting counts against the first request.
        client.phase = Phase::kReading;
        want(id, client, EPOLLIN);
        return receive(id, client);
      case Channel::State::kWantRead:
        return want(id, client, EPOLLIN);
      case Channel::State::kWantWrite:
        return want(id, client, EPOLLOUT);
      case Channel::State::kPlainOnTls:
        hooks_.cut("tls");
        if (const UniqueFd bare(dup(client.channel->fd())); bare.get() >= 0) {
          [[maybe_unused]] const ssize_t put =
              send(bare.get(), kPlainOnTls.data(), kPlainOnTls.size(), MSG_NOSIGNAL);
          shutdown(bare.get(), SHUT_WR);
        }
        return drop(id);
      case Channel::State::kClosed:
        hooks_.cut("tls");
        return drop(id);
    }
  }

  void receive(uint64_t id, Connection& client) {
    std::array<char, kReadBytes> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    while (true) {
      const Channel::Moved got = client.channel->read(buffer.data(), buffer.size());
      if (got.state == Channel::State::kClosed) return drop(id);
      if (got.state == Channel::State::kWantWrite) return want(id, client, EPOLLOUT);
      if (got.state != Channel::State::kDone) return want(id, client, EPOLLIN);
      if (client.in.empty()) enter(client, Phase::kReading, limits_.request_time);
      client.in.append(buffer.data(), got.bytes);
      if (look_for_request(id, client)) return;
    }
  }

  /// True when the connection's phase is another now.
  bool look_for_request(uint64_t id, Connection& client) {
    if (client.in.empty()) return false;
    const RequestFrame frame = frame_request(client.in, limits_.request);
    if (frame.state == RequestFrame::State::kIncomplete) return false;
    if (frame.state == RequestFrame::State::kRefused) {
      hooks_.cut("refused");
      say_goodbye(id, client, hooks_.refusal(frame.status));
      return true;
    }
    auto request = std::make_shared<WholeRequest>();
    request->bytes = client.in.substr(frame.skipped, frame.head_size + frame.body_size);
    request->head_size = frame.head_size;
    request->remote_address = client.remote_address;
    request->authorization = frame.authorization;
    hooks_.admit(*request, frame.path);
    client.in.erase(0, frame.size());
    client.phase = Phase::kAnswering;
    want(id, client, 0);  // hang-ups are told all the same
    hand_over(id, request);
    return true;
  }

  void hand_over(uint64_t id, const std::shared_ptr<WholeRequest>& request) {
    lanes_.add(
        [this, id, request] {
          WholeAnswer answer = hooks_.answer(*request);
          {
            const std::lock_guard lock(answering_);
            answers_.emplace_back(id, std::move(answer));
          }
          wake();
        },
        request->lane);
  }

  void take_answers() {
    std::vector<std::pair<uint64_t, WholeAnswer>> answers;
    {
      const std::lock_guard lock(answering_);
      answers.swap(answers_);
    }
    for (auto& [id, answer] : answers) {
      const auto found = connections_.find(id);
      if (found == connections_.end()) continue;
      begin_answer(id, found->second, std::move(answer));
    }
  }

  void begin_answer(uint64_t id, Connection& client, WholeAnswer answer) {
    client.close_after = answer.close;
    client.out = std::move(answer.bytes);
    client.sent = 0;
    unsent_ += client.out.size();
    enter(client, Phase::kWriting, limits_.answer_time);
    send_on(id, client);
    while (unsent_ > limits_.unsent_bytes && cut_oldest("unsent_bytes", true)) {
    }
  }

  void say_goodbye(uint64_t id, Connection& client, std::string text) {
    client.in.clear();
    begin_answer(id, client, {std::move(text), true});
  }

  void send_on(uint64_t id, Connection& client) {
    while (client.sent < client.out.size()) {
      const Channel::Moved put =
          client.channel->write(std::string_view(client.out).substr(client.sent));
      if (put.state == Channel::State::kWantRead) return want(id, client, EPOLLIN);
      if (put.state == Channel::State::kWantWrite) return want(id, client, EPOLLOUT);
      if (put.state != Channel::State::kDone) return drop(id);
      client.sent += put.bytes;
    }
    unsent_ -= client.out.size();
    client.out = {};
    if (client.close_after || stopping_) {
      // What the client still sends is read and forgotten for a moment: closing now would reset
      // the connection and take the answer away from it.
      client.channel->finish();
      enter(client, Phase::kLeaving, limits_.farewell_time);
      want(id, client, EPOLLIN);
      return see_off(id, client);
    }
    enter(client, Phase::kReading, client.in.empty() ? limits_.idle_time : limits_.request_time);
    want(id, client, EPOLLIN);
    if (!look_for_request(id, client)) receive(id, client);
  }

  void see_off(uint64_t id, Connection& client) {
    std::array<char, kReadBytes> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    for (int reads = 0; reads < 16; ++reads) {
      const Channel::Moved got = client.channel->read(buffer.data(), buffer.size());
      if (got.state == Channel::State::kClosed) return drop(id);
      if (got.state != Channel::State::kDone) return;
    }
  }

  const FrontLimits limits_;
  const Hooks hooks_;
  UniqueFd epoll_;
  UniqueFd wake_;
  std::function<std::shared_ptr<TlsContext>()> tls_;
  std::vector<Listener> listeners_;
  std::unordered_map<uint64_t, Connection> connections_;  // the thread's own
  uint64_t next_id_ = kFirstConnection;
  size_t unsent_ = 0;
  bool accepting_ = false;
  std::atomic<size_t> count_{0};
  std::atomic<bool> stopping_{false};
  std::mutex answering_;
  std::vector<std::pair<uint64_t, WholeAnswer>> answers_;
  WorkLanes lanes_;
  std::thread thread_;
};

HttpFront::HttpFront(FrontLimits limits, Hooks hooks)
    : loop_(std::make_unique<Loop>(limits, std::move(hooks))) {}

HttpFront::~HttpFront() = default;

Result<uint16_t> HttpFront::listen(const std::string& address) {
  return loop_->listen(address);
}

void HttpFront::use_tls(std::function<std::shared_ptr<TlsContext>()> tls) {
  loop_->use_tls(std::move(tls));
}

void HttpFront::start() {
  loop_->start();
}

void HttpFront::stop() {
  loop_->stop();
}

size_t HttpFront::connections() const {
  return loop_->count();
}

}  // namespace ectoscope
