#include "outputs/attempt_limit.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <iterator>

namespace ectoscope {
namespace {

/// What addresses of one owner have in common.
std::string owner_of(std::string_view address) {
  std::string text(address.substr(0, address.find('%')));  // without the interface
  in6_addr parsed{};
  if (inet_pton(AF_INET6, text.c_str(), &parsed) != 1) return text;
  if (IN6_IS_ADDR_V4MAPPED(&parsed)) {
    std::array<char, INET_ADDRSTRLEN> mapped{};
    inet_ntop(AF_INET, &parsed.s6_addr[12], mapped.data(), mapped.size());
    return mapped.data();
  }
  constexpr size_t kNetwork = 8;  // bytes
  return {reinterpret_cast<const char*>(parsed.s6_addr), kNetwork};
}

}  // namespace

void AttemptLimit::fill(Bucket& bucket, Time now) const {
  const std::chrono::duration<double> passed = now - bucket.filled;
  bucket.tokens = std::min(rule_.burst, bucket.tokens + passed / rule_.refill);
  bucket.filled = now;
}

bool AttemptLimit::make_room(Time now) {
  if (buckets_.size() < rule_.addresses) return true;
  for (auto it = buckets_.begin(); it != buckets_.end();) {
    fill(it->second, now);
    it = it->second.tokens >= rule_.burst ? buckets_.erase(it) : std::next(it);
  }
  return buckets_.size() < rule_.addresses;
}

bool AttemptLimit::take(std::string_view address, Time now) {
  const std::string owner = owner_of(address);
  auto found = buckets_.find(owner);
  if (found == buckets_.end()) {
    if (!make_room(now)) return false;
    found = buckets_.emplace(owner, Bucket{rule_.burst, now}).first;
  }
  Bucket& bucket = found->second;
  fill(bucket, now);
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void AttemptLimit::give_back(std::string_view address) {
  const auto found = buckets_.find(owner_of(address));
  if (found != buckets_.end())
    found->second.tokens = std::min(rule_.burst, found->second.tokens + 1);
}

}  // namespace ectoscope
