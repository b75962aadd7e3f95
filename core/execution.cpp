#include "core/execution.h"

#include <cstdio>

namespace ectoscope {

std::string to_hex(const TraceId& id) {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(id.high),
                static_cast<unsigned long long>(id.low));
  return text;
}

}  // namespace ectoscope
