// What came of a file with problems: the last words of the message that tells them.
#pragma once

#include <string>
#include <string_view>

namespace ectoscope {

inline constexpr std::string_view kNothingStarted = "; nothing was started.";
inline constexpr std::string_view kRunningStays = "; the running configuration stays.";
inline constexpr std::string_view kNoneUsed = "; none of it is used.";

/// The message for where the daemon starts or runs all the same.
inline std::string with_consequence(std::string message, std::string_view consequence) {
  if (message.ends_with(kNothingStarted)) message.resize(message.size() - kNothingStarted.size());
  return message.append(consequence);
}

}  // namespace ectoscope
