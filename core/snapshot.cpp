#include "core/snapshot.h"

#include <algorithm>
#include <chrono>

namespace ectoscope {

void DurationHistogram::add(Micros duration, uint64_t times) {
  const double seconds = std::chrono::duration<double>(duration).count();
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  buckets[static_cast<size_t>(bound - kBounds.begin())] += times;
  count += times;
  sum_seconds += seconds * static_cast<double>(times);
}

std::string_view name_of(Operation operation) {
  switch (operation) {
    case Operation::kSelect:
      return "select";
    case Operation::kInsert:
      return "insert";
    case Operation::kUpdate:
      return "update";
    case Operation::kDelete:
      return "delete";
    case Operation::kDdl:
      return "ddl";
    case Operation::kTransaction:
      return "transaction";
    case Operation::kOther:
      break;
  }
  return "other";
}

}  // namespace ectoscope
