#include "daemon/overrides.h"

#include <algorithm>

#include "core/glob.h"

namespace ectoscope {
namespace {

constexpr size_t kMostKnown = 100'000;

bool fits(const OverrideMatch& match, const Stream& stream, const Whence& whence) {
  const auto one = [](const std::string& glob, const std::string& text) {
    return glob.empty() || glob_matches(glob, text);
  };
  return one(match.application, stream.application) && one(match.database, stream.database) &&
         one(match.user, stream.user) && one(match.route, whence.route) &&
         one(match.tag, whence.tag);
}

}  // namespace

size_t OverrideSelector::look_up(StreamId stream, uint32_t route) {
  const std::pair key(stream, route);
  if (const auto known = known_.find(key); known != known_.end()) return known->second;
  const auto fitting =
      std::find_if(overrides_.begin(), overrides_.end(), [&](const OverrideConfig& it) {
        return fits(it.match, streams_[stream], routes_.whence(route));
      });
  const size_t number =
      fitting == overrides_.end() ? 0 : static_cast<size_t>(fitting - overrides_.begin()) + 1;
  if (known_.size() >= kMostKnown) known_.clear();
  known_.emplace(key, number);
  return number;
}

}  // namespace ectoscope
