// The key of this process.
#pragma once

#include "core/hash.h"

namespace ectoscope {

/// Drawn anew at each call: hashes of values mean nothing outside of what shares a key.
/// Throws std::runtime_error when the kernel gives no random numbers.
HashKey draw_key();

}  // namespace ectoscope
