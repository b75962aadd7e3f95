#include "daemon/overrides.h"

#include <algorithm>

#include "core/glob.h"

namespace ectoscope {
namespace {

constexpr size_t kMostKnown = 100'000;

bool one(const std::string& glob, const std::string& text) {
  return glob.empty() || glob_matches(glob, text);
}

bool fits(const OverrideMatch& match, const Stream& stream, const Whence& whence) {
  return one(match.application, stream.application) && one(match.database, stream.database) &&
         one(match.user, stream.user) && one(match.route, whence.route) &&
         one(match.tag, whence.tag);
}

/// Whatever application, user and request it comes from.
bool fits_all_of(const OverrideMatch& match, const std::string& database) {
  return match.application.empty() && match.user.empty() && match.route.empty() &&
         match.tag.empty() && one(match.database, database);
}

}  // namespace

size_t OverrideSelector::number_of(const Execution& execution) {
  if (overrides_.empty()) return 0;
  const size_t number = look_up(execution.stream, execution.route);
  if (execution.query >= of_shapes_.size()) of_shapes_.resize(execution.query + 1);
  of_shapes_[execution.query] = static_cast<uint32_t>(number + 1);
  return number;
}

size_t OverrideSelector::number_of_sample(QueryId query, const std::string& database) const {
  if (query < of_shapes_.size() && of_shapes_[query] != 0) return of_shapes_[query] - 1;
  const auto fitting =
      std::find_if(overrides_.begin(), overrides_.end(),
                   [&](const OverrideConfig& it) { return fits_all_of(it.match, database); });
  return fitting == overrides_.end() ? 0 : static_cast<size_t>(fitting - overrides_.begin()) + 1;
}

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
