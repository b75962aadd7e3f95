#include "outputs/web_guard.h"

#include <algorithm>
#include <utility>

namespace ectoscope {
namespace {

constexpr size_t kMostWaiting = 32;  // for a bcrypt: a few seconds' work

}  // namespace

WebGuard::WebGuard(Clock clock) : clock_(std::move(clock)) {}

void WebGuard::protect(const WebAccess& access, std::shared_ptr<TlsContext> tls) {
  passwords_.set(access.users);
  const std::lock_guard lock(mutex_);
  tls_ = std::move(tls);
  headers_ = std::make_shared<const Headers>(access.headers);
  if (rate_.interval != access.rate.interval || rate_.burst != access.rate.burst) {
    rate_ = access.rate;
    tokens_ = static_cast<double>(rate_.burst);
    filled_ = clock_();
  }
}

std::shared_ptr<TlsContext> WebGuard::tls() const {
  const std::lock_guard lock(mutex_);
  return tls_;
}

std::shared_ptr<const WebGuard::Headers> WebGuard::headers() const {
  const std::lock_guard lock(mutex_);
  return headers_;
}

bool WebGuard::within_rate() {
  const std::lock_guard lock(mutex_);
  if (rate_.interval.count() == 0) return true;
  const auto now = clock_();
  const std::chrono::duration<double> passed = now - filled_;
  const std::chrono::duration<double> interval = rate_.interval;
  tokens_ = std::min(static_cast<double>(rate_.burst), tokens_ + passed / interval);
  filled_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

WebGuard::Verdict WebGuard::look(std::string_view authorization, std::string_view address) {
  if (!within_rate()) return Verdict::kTooManyAsked;
  if (!passwords_.asked()) return Verdict::kWelcome;
  const auto given = read_basic_authorization(authorization);
  if (!given) return Verdict::kNoPassword;
  if (passwords_.known(*given)) return Verdict::kWelcome;
  if (waiting_ >= kMostWaiting) return Verdict::kTooMany;
  const std::lock_guard lock(mutex_);
  if (!guesses_.take(address, clock_())) return Verdict::kTooMany;
  ++waiting_;
  return Verdict::kAsk;
}

WebGuard::Verdict WebGuard::check(std::string_view authorization, std::string_view address) {
  const auto given = read_basic_authorization(authorization);
  // Of several that came at once the first may have been answered by now.
  const bool right = given && (passwords_.known(*given) || passwords_.check(*given));
  --waiting_;
  if (!right) return Verdict::kWrong;
  const std::lock_guard lock(mutex_);
  guesses_.give_back(address);
  return Verdict::kWelcome;
}

}  // namespace ectoscope
