// Text into HTML and XML.
#pragma once

#include <string>
#include <string_view>

namespace ectoscope {

/// For HTML and XML alike, as text or within an attribute's quotes: `&`, `<`, `>` and both quotes
/// become references; what is no UTF-8 and what neither shows (control characters, those that turn
/// the text around) is written out, as harmless() does.  One line.
std::string escape_markup(std::string_view text);

/// The same, but line breaks stay: for <pre>.
std::string escape_lines(std::string_view text);

}  // namespace ectoscope
