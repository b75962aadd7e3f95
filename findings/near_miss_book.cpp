#include "findings/near_miss_book.h"

#include <algorithm>
#include <cmath>

namespace ectoscope {
namespace {

/// How far off, as a share of what was wanted; what no number decided comes last.
double distance(const NearMiss& miss) {
  if (miss.option.empty()) return 1e9;
  return std::abs(miss.wanted - miss.value) / std::max(std::abs(miss.wanted), 1e-9);
}

}  // namespace

void NearMissBook::add(std::string_view kind, std::string_view database, const NearMiss& miss) {
  Key key(kind, database, miss.query, miss.option, miss.why);
  auto found = kept_.find(key);
  if (found == kept_.end()) {
    if (kept_.size() >= most_) {
      ++dropped_;
      return;
    }
    found = kept_.emplace(std::move(key), Kept{std::string(kind), std::string(database), miss, 0})
                .first;
  }
  Kept& kept = found->second;
  ++kept.times;
  if (distance(miss) < distance(kept.nearest)) kept.nearest = miss;
}

std::vector<NearMissBook::Kept> NearMissBook::misses(std::string_view kind) const {
  std::vector<Kept> found;
  for (const auto& [key, kept] : kept_) {
    if (kept.kind == kind) found.push_back(kept);
  }
  std::stable_sort(found.begin(), found.end(), [](const Kept& a, const Kept& b) {
    return std::tuple(distance(a.nearest), b.times) < std::tuple(distance(b.nearest), a.times);
  });
  return found;
}

}  // namespace ectoscope
