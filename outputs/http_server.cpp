#include "outputs/http_server.h"

#include <httplib.h>

#include "outputs/http_routes.h"
#include "outputs/web_guard.h"

namespace ectoscope {
namespace {

constexpr std::string_view kContentPolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

std::string_view reason_of(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

httplib::Headers security_headers() {
  return {{"Content-Security-Policy", std::string(kContentPolicy)},
          {"X-Content-Type-Options", "nosniff"},
          {"X-Frame-Options", "DENY"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"}};
}

/// What configuration has in place of ours.
void replace_headers(const WebGuard& guard, httplib::Headers& headers) {
  const auto replacing = guard.headers();  // held while it is read: protect() may bring others
  for (const auto& [name, value] : *replacing) {
    headers.erase(name);
    headers.emplace(name, value);
  }
}

std::string refusal(int status, const WebGuard& guard) {
  constexpr int kUnauthorized = 401;
  constexpr int kTooMany = 429;
  const std::string text = std::string(reason_of(status)) + "\n";
  httplib::Headers headers = security_headers();
  replace_headers(guard, headers);
  headers.emplace("Content-Type", "text/plain; charset=utf-8");
  headers.emplace("Connection", "close");
  headers.emplace("Content-Length", std::to_string(text.size()));
  if (status == kUnauthorized)
    headers.emplace("WWW-Authenticate", "Basic realm=\"ectoscope\", charset=\"UTF-8\"");
  if (status == kTooMany) headers.emplace("Retry-After", "5");
  std::string answer =
      "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_of(status)) + "\r\n";
  for (const auto& [name, value] : headers)
    answer.append(name).append(": ").append(value).append("\r\n");
  return answer + "\r\n" + text;
}

/// A request that is in memory, and its answer.
class MemoryStream : public httplib::Stream {
 public:
  MemoryStream(std::string_view in, const std::string& remote) : in_(in), remote_(remote) {}

  [[nodiscard]] bool is_readable() const override { return !in_.empty(); }
  [[nodiscard]] bool is_writable() const override { return true; }

  ssize_t read(char* buffer, size_t size) override {
    const size_t length = in_.copy(buffer, size);
    in_.remove_prefix(length);
    return static_cast<ssize_t>(length);
  }
  ssize_t write(const char* bytes, size_t size) override {
    out_.append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = remote_;
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  [[nodiscard]] socket_t socket() const override { return 0; }

  std::string take() { return std::move(out_); }

 private:
  std::string_view in_;
  const std::string& remote_;
  std::string out_;
};

/// cpp-httplib for what it does well: reading a request's parts, writing an answer, compression.
/// Its sockets and threads are not used: see HttpFront.
class Responder : public httplib::Server {
 public:
  Responder(HttpRoutes& routes, const WebGuard& guard) {
    // Every path is ours: its own routing by regular expressions is never reached.
    set_pre_routing_handler(
        [&routes, &guard](const httplib::Request& request, httplib::Response& response) {
          replace_headers(guard, response.headers);
          routes.answer(request, response);
          return HandlerResponse::Handled;
        });
    set_keep_alive_timeout(75);
    set_keep_alive_max_count(1'000'000);
  }

  WholeAnswer answer(const WholeRequest& whole) {
    MemoryStream stream(whole.bytes, whole.remote_address);
    bool closed = false;
    const bool done = process_request(stream, false, closed, [&whole](httplib::Request& request) {
      request.body = whole.bytes.substr(whole.head_size);
      request.remote_addr = whole.remote_address;
      soften(request);
    });
    return {stream.take(), closed || !done};
  }

 private:
  /// Takes out what costs more than it gives: ranges can multiply an answer, and Brotli is as slow
  /// as it is thorough.
  static void soften(httplib::Request& request) {
    request.ranges.clear();
    request.headers.erase("Range");
    request.headers.erase("Expect");
    const bool gzip = request.get_header_value("Accept-Encoding").find("gzip") != std::string::npos;
    request.headers.erase("Accept-Encoding");
    if (gzip) request.headers.emplace("Accept-Encoding", "gzip");
  }
};

}  // namespace

struct HttpServer::State {
  State(HttpOptions given, const SnapshotBoard& board, Control& control)
      : options(std::move(given)),
        routes(options, board, control),
        responder(routes, guard),
        front(options.limits, hooks()) {
    responder.set_default_headers(security_headers());
  }

  HttpFront::Hooks hooks() {
    return {.answer = [this](WholeRequest& request) { return answer(request); },
            .admit = [this](WholeRequest& request, std::string_view path) { admit(request, path); },
            .refusal = [this](int status) { return refusal(status, guard); },
            .cut = [this](std::string_view reason) { routes.metrics().count_cut(reason); }};
  }

  void admit(WholeRequest& request, std::string_view path) {
    const WebGuard::Verdict verdict = guard.look(request.authorization, request.remote_address);
    request.lane = verdict == WebGuard::Verdict::kAsk ? LaneKind::kPassword
                   : routes.urgent(path)              ? LaneKind::kUrgent
                                                      : LaneKind::kUsual;
    request.refused = refused(verdict);
  }

  WholeAnswer answer(WholeRequest& request) {
    if (request.lane == LaneKind::kPassword) {
      request.refused = refused(guard.check(request.authorization, request.remote_address));
    }
    if (request.refused != 0) return {refusal(request.refused, guard), true};
    return responder.answer(request);
  }

  /// The status, 0 when there is nothing to refuse.
  int refused(WebGuard::Verdict verdict) {
    constexpr int kUnauthorized = 401;
    constexpr int kTooMany = 429;
    const auto refuse = [this](int status, std::string_view reason) {
      routes.metrics().count_cut(reason);
      return status;
    };
    switch (verdict) {
      case WebGuard::Verdict::kNoPassword:
        return refuse(kUnauthorized, "no_password");
      case WebGuard::Verdict::kWrong:
        return refuse(kUnauthorized, "wrong_password");
      case WebGuard::Verdict::kTooMany:
        return refuse(kTooMany, "too_many_passwords");
      case WebGuard::Verdict::kTooManyAsked:
        return refuse(kTooMany, "rate_limit");
      case WebGuard::Verdict::kWelcome:
      case WebGuard::Verdict::kAsk:
        break;
    }
    return 0;
  }

  HttpOptions options;
  WebGuard guard;
  HttpRoutes routes;
  Responder responder;
  HttpFront front;
  uint16_t port = 0;
};

HttpServer::HttpServer(HttpOptions options, const SnapshotBoard& board, Control& control)
    : state_(std::make_unique<State>(std::move(options), board, control)) {}

HttpServer::~HttpServer() {
  stop();
}

void HttpServer::protect(const WebAccess& access, std::shared_ptr<TlsContext> tls) {
  state_->guard.protect(access, std::move(tls));
}

std::optional<Error> HttpServer::start() {
  for (const std::string& address : state_->options.listen_addresses) {
    const auto port = state_->front.listen(address);
    if (!port.ok()) return port.error();
    if (state_->port == 0) state_->port = port.value();
  }
  if (state_->guard.tls()) state_->front.use_tls([this] { return state_->guard.tls(); });
  state_->front.start();
  return std::nullopt;
}

void HttpServer::stop() {
  state_->front.stop();
}

uint16_t HttpServer::port() const {
  return state_->port;
}

std::string HttpServer::url() const {
  if (state_->options.listen_addresses.empty()) return {};
  const std::string& address = state_->options.listen_addresses.front();
  std::string host = address.substr(0, address.rfind(':'));
  if (host.empty() || host == "0.0.0.0" || host == "[::]") host = "127.0.0.1";
  return (state_->guard.tls() ? "https://" : "http://") + host + ":" +
         std::to_string(state_->port) + "/";
}

}  // namespace ectoscope
