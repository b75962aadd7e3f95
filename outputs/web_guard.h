// Who is let in: passwords and rates, before a request is looked at.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/web_access.h"
#include "outputs/attempt_limit.h"
#include "outputs/passwords.h"
#include "outputs/tls_context.h"

namespace ectoscope {

/// Threads: any.
class WebGuard {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  using Headers = std::map<std::string, std::string>;

  explicit WebGuard(Clock clock = &std::chrono::steady_clock::now);

  /// From the next connection and request on.  Passwords that were right stay known while their
  /// hash stays.
  void protect(const WebAccess& access, std::shared_ptr<TlsContext> tls);

  /// Null: plain HTTP.
  [[nodiscard]] std::shared_ptr<TlsContext> tls() const;
  /// Of every answer, in place of ours.
  [[nodiscard]] std::shared_ptr<const Headers> headers() const;

  enum class Verdict : uint8_t {
    kWelcome,
    kAsk,          // check() must say, where it may take its time
    kNoPassword,   // 401
    kWrong,        // 401
    kTooMany,      // 429: this address guesses
    kTooManyAsked  // 429: rate_limit
  };

  /// Quick.  `authorization` is the request's header, empty for none.  After kAsk one check() must
  /// follow.
  Verdict look(std::string_view authorization, std::string_view address);
  /// Takes a bcrypt.
  Verdict check(std::string_view authorization, std::string_view address);

 private:
  bool within_rate();

  const Clock clock_;
  Passwords passwords_;
  std::atomic<size_t> waiting_{0};  // for check()
  mutable std::mutex mutex_;        // of what follows
  AttemptLimit guesses_{{}};
  std::shared_ptr<TlsContext> tls_;
  std::shared_ptr<const Headers> headers_ = std::make_shared<const Headers>();
  RequestRate rate_;
  double tokens_ = 0;
  std::chrono::steady_clock::time_point filled_;
};

}  // namespace ectoscope
