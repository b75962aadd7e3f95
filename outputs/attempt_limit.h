// How often an address may try.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace ectoscope {

/// A bucket of tokens for each address; of IPv6 for each network of 64 bits, for that is what one
/// household is given.  Threads: one at a time.
class AttemptLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Rule {
    double burst = 10;
    std::chrono::duration<double> refill{5};  // for one token
    size_t addresses = 4096;
  };

  explicit AttemptLimit(Rule rule) : rule_(rule) {}

  /// False when it has none left, and when too many addresses have few left at once.
  bool take(std::string_view address, Time now);
  /// For an attempt that was no guess.
  void give_back(std::string_view address);

 private:
  struct Bucket {
    double tokens = 0;
    Time filled;
  };

  void fill(Bucket& bucket, Time now) const;
  bool make_room(Time now);

  Rule rule_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace ectoscope
