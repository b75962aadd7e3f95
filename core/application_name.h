// How ectoscope's own connections call themselves.
#pragma once

#include <string_view>

namespace ectoscope {

/// application_name of each connection that is made; what a log shows of it is nobody's problem.
inline constexpr std::string_view kApplicationName = "ectoscope";

}  // namespace ectoscope
