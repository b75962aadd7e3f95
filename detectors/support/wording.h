// Numbers as sentences say them.
#pragma once

#include <cstdint>
#include <string>

#include "core/time.h"

namespace ectoscope {

/// "1,188".
std::string grouped(uint64_t number);

/// "0.4 ms", "33 ms", "1.2 s".
std::string spoken(Micros time);

/// "1 request", "12 requests".
std::string counted(uint64_t number, const char* singular, const char* plural);

}  // namespace ectoscope
