#include "core/snapshot.h"

#include <algorithm>
#include <chrono>

namespace ectoscope {

void DurationHistogram::add(Micros duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++buckets[static_cast<size_t>(bound - kBounds.begin())];
  ++count;
  sum_seconds += seconds;
}

}  // namespace ectoscope
