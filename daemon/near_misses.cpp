#include "daemon/near_misses.h"

#include "daemon/why.h"
#include "detectors/registry.h"

namespace ectoscope {

std::shared_ptr<const NearlyFound> NearMisses::shown(const QueryTable& queries, Micros steady,
                                                     EventTime wall) {
  constexpr Micros kEvery{10'000'000};
  if (shown_ && steady - shown_at_ < kEvery) return shown_;
  shown_at_ = steady;
  auto found = std::make_shared<NearlyFound>();
  found->since = since_;
  for (const DetectorEntry& entry : detector_registry())
    describe_misses(book_, entry, server_, queries, found->misses);
  shown_ = std::move(found);
  if (book_.dropped() > 0) {
    book_ = NearMissBook(kMost);
    since_ = wall;
  }
  return shown_;
}

}  // namespace ectoscope
