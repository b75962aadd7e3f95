// The HTTP side: metrics, health, the API and the pages, all from the published snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/control.h"
#include "core/deploys.h"
#include "core/result.h"
#include "core/snapshot.h"
#include "core/web_access.h"
#include "outputs/http_front.h"

namespace ectoscope {

class TlsContext;  // outputs/tls_context.h

struct HttpOptions {
  std::vector<std::string> listen_addresses = {"127.0.0.1:9788"};  // HOST:PORT, [IPv6]:PORT, :PORT
  std::string telemetry_path = "/metrics";
  bool enable_lifecycle = false;  // POST /-/reload
  std::string trace_url;          // "https://traces.example/{trace_id}"; empty: no links
  std::string version;
  size_t series_budget = 2000;
  DeployBook* deploys = nullptr;  // null: none are taken; outlives the server
  FrontLimits limits;
};

/// Threads: start() and stop() from one; it answers from its own.
class HttpServer {
 public:
  /// `board` and `control` must outlive it.
  HttpServer(HttpOptions options, const SnapshotBoard& board, Control& control);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  /// Before start(): whether TLS is spoken, who is let in, which headers are sent.  Later: the same
  /// anew, from the next connection and request on; TLS can't be turned on or off then.
  void protect(const WebAccess& access, std::shared_ptr<TlsContext> tls);

  /// Listens on all addresses, or on none.  The error says what to do (port in use and the like).
  std::optional<Error> start();

  /// Ends what is under way within FrontLimits::stop_time.  Idempotent.
  void stop();

  /// Of the first address, once started: what port 0 became.
  [[nodiscard]] uint16_t port() const;

  /// "http://127.0.0.1:9788/": the first address as a person would open it.
  [[nodiscard]] std::string url() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ectoscope
