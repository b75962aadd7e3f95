#pragma once

#include <string_view>

namespace ectoscope {

/// From CMake's project().
inline constexpr std::string_view kVersion = ECTOSCOPE_VERSION;

}  // namespace ectoscope
