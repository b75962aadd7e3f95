// Patterns as people write them for names: '*' is any text, '?' any one character.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ectoscope {

/// Whether all of `text` fits.  Upper and lower case differ.  Time: O(pattern * text) at worst.
bool glob_matches(std::string_view pattern, std::string_view text);

/// The patterns in a list with commas between; spaces around them do not count.
std::vector<std::string> globs_in(std::string_view list);

}  // namespace ectoscope
