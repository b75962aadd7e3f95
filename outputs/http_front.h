// The sockets of the HTTP side: whole requests in, whole answers out.
//
// One thread does all reading and writing, so that a connection costs memory and no thread: idle,
// slow and half-open clients are held until their deadline, and the oldest of them go when there
// are too many.  What answers sees only complete requests and never waits for a client.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "outputs/request_framing.h"
#include "outputs/work_lanes.h"

namespace ectoscope {

class TlsContext;  // outputs/tls_context.h

struct FrontLimits {
  RequestLimits request;
  size_t connections = 512;
  size_t unsent_bytes = size_t{32} * 1024 * 1024;  // answers that wait for their clients, together
  std::chrono::milliseconds request_time{10'000};  // from a request's first byte to its last
  std::chrono::milliseconds idle_time{75'000};     // between requests
  std::chrono::milliseconds answer_time{20'000};   // to take an answer
  std::chrono::milliseconds farewell_time{1000};   // to read a refusal
  std::chrono::milliseconds stop_time{300};        // for answers under way when stopping
  size_t workers = 2;                              // besides the urgent and the password one
};

struct WholeRequest {
  std::string bytes;  // head and body
  size_t head_size = 0;
  std::string remote_address;  // "127.0.0.1", "::1"
  std::string authorization;
  LaneKind lane = LaneKind::kUsual;
  int refused = 0;  // the status to refuse it with, when that is known already
};

struct WholeAnswer {
  std::string bytes;
  bool close = false;
};

class HttpFront {
 public:
  struct Hooks {
    /// Answers.  Called from several threads at once; urgent requests have a thread of their own,
    /// and those with a password to check.
    std::function<WholeAnswer(WholeRequest&)> answer;
    /// Sets `lane` and `refused`.  Called by the front's own thread: it must be quick.
    std::function<void(WholeRequest&, std::string_view path)> admit;
    /// An answer for what never became a request.
    std::function<std::string(int status)> refusal;
    /// A client was cut off: "request_timeout", "answer_timeout", "too_many_connections",
    /// "unsent_bytes", "refused", "tls".  Called by the front's own thread.
    std::function<void(std::string_view reason)> cut;
  };

  HttpFront(FrontLimits limits, Hooks hooks);
  HttpFront(const HttpFront&) = delete;
  HttpFront& operator=(const HttpFront&) = delete;
  ~HttpFront();

  /// Binds "host:port", "[::1]:port" or ":port" (any address); port 0 is any free one.  The error
  /// says what to do.  Before start() only.
  Result<uint16_t> listen(const std::string& address);

  /// From then on new connections speak TLS by what `tls` gives each; null: plain.
  void use_tls(std::function<std::shared_ptr<TlsContext>()> tls);

  void start();

  /// Takes no more, gives answers under way a moment, ends the threads.  Idempotent.
  void stop();

  /// Open connections.  Threads: any.
  [[nodiscard]] size_t connections() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace ectoscope
