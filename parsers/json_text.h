// The text of JSON strings.
#pragma once

#include <string_view>

namespace ectoscope {

/// Writes the text between a string's quotes without its escapes; returns where it ended.  It is
/// never longer than the text was.  What is no code point becomes a question mark.
char* unescape_json(std::string_view text, char* out);

}  // namespace ectoscope
