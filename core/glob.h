// Patterns as people write them for names: '*' is any text, '?' any one character.
#pragma once

#include <string_view>

namespace ectoscope {

/// Whether all of `text` fits.  Upper and lower case differ.  Time: O(pattern * text) at worst.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace ectoscope
