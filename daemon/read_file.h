// A whole file as text.
#pragma once

#include <string>

#include "core/files.h"
#include "core/result.h"

namespace ectoscope {

/// At most `max` bytes; a longer file is cut there, one byte over it, so that the caller sees it.
Result<std::string> read_whole_file(Files& files, const std::string& path, size_t max);

}  // namespace ectoscope
