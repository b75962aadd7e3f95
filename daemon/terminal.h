// What is at the other end of standard output and error.
#pragma once

#include "outputs/text_layout.h"

namespace ectoscope {

bool is_terminal(int descriptor);

/// Colours only on a terminal and without NO_COLOR; its width, or 100 where there is none; ASCII
/// only where a terminal's locale isn't UTF-8.
TextStyle style_for(int descriptor);

}  // namespace ectoscope
