#include "core/trace.h"

namespace ectoscope {

std::string_view name_of(GroupedBy rung) {
  switch (rung) {
    case GroupedBy::kTraceparent:
      return "traceparent";
    case GroupedBy::kTag:
      return "tag";
    case GroupedBy::kTransaction:
      return "transaction";
    case GroupedBy::kChain:
      return "chain";
    case GroupedBy::kNone:
      break;
  }
  return "none";
}

}  // namespace ectoscope
