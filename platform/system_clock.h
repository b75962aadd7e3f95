// The machine's clocks.
#pragma once

#include <memory>

#include "core/clock.h"

namespace ectoscope {

std::unique_ptr<Clock> make_system_clock();

}  // namespace ectoscope
