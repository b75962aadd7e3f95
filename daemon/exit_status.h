// What the process tells its caller.
#pragma once

namespace ectoscope {

inline constexpr int kExitDone = 0;
inline constexpr int kExitGate = 1;  // --fail-on found something, or the input does not show enough
inline constexpr int kExitUsage = 2;  // command line or configuration
inline constexpr int kExitInput = 3;  // an input or the output failed

}  // namespace ectoscope
