// The loop of HttpFront: its sockets (front_loop.cpp) and what is said over them
// (front_conversation.cpp).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "outputs/channel.h"
#include "outputs/http_front.h"
#include "outputs/listener.h"
#include "outputs/tls_context.h"
#include "outputs/work_lanes.h"

namespace ectoscope {

/// Threads: as HttpFront; all that is private is the loop's own thread's, but for what is locked.
class HttpFront::Loop {
 public:
  Loop(FrontLimits limits, Hooks hooks);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { stop(); }

  Result<uint16_t> listen(const std::string& address);
  void use_tls(std::function<std::shared_ptr<TlsContext>()> tls) { tls_ = std::move(tls); }
  void start();
  void stop();
  [[nodiscard]] size_t count() const { return count_; }

 private:
  using Clock = std::chrono::steady_clock;

  static constexpr uint64_t kFirstConnection = 1000;  // ids below are listeners

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

  // Sockets.
  void wake() const;
  void watch(int fd, uint64_t id, uint32_t events, int operation) const;
  void listen_for_clients(bool on);
  void run();
  [[nodiscard]] bool busy() const;
  void on_event(const epoll_event& event);
  void accept_clients(int listener);
  void welcome(UniqueFd socket);
  static void enter(Connection& client, Phase phase, std::chrono::milliseconds time);
  void drop(uint64_t id);
  /// Of those that nobody works for, the one that is in its phase longest.
  bool cut_oldest(std::string_view reason, bool writing_only = false);
  void sweep(Clock::time_point now);
  void want(uint64_t id, Connection& client, uint32_t events) const;

  // Conversation.
  /// Goes on with a connection as far as it goes without waiting.
  void advance(uint64_t id);
  void greet(uint64_t id, Connection& client);
  void receive(uint64_t id, Connection& client);
  /// True when the connection's phase is another now.
  bool look_for_request(uint64_t id, Connection& client);
  void hand_over(uint64_t id, const std::shared_ptr<WholeRequest>& request);
  void take_answers();
  void begin_answer(uint64_t id, Connection& client, WholeAnswer answer);
  void say_goodbye(uint64_t id, Connection& client, std::string text);
  void send_on(uint64_t id, Connection& client);
  void see_off(uint64_t id, Connection& client);

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

}  // namespace ectoscope
