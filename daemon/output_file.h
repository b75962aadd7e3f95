// Where a report goes.
#pragma once

#include <functional>
#include <optional>
#include <ostream>
#include <string>

#include "core/result.h"

namespace ectoscope {

/// Runs `write` on a temporary file beside `path` and renames it to `path` when all is on disk:
/// a reader sees the old file or the whole new one.  What is at `path` and is no regular file
/// (/dev/stdout, a pipe) is written to directly.  Nothing is left behind on failure.
std::optional<Error> write_file(const std::string& path,
                                const std::function<void(std::ostream&)>& write);

/// The same for standard output.
std::optional<Error> write_stdout(const std::function<void(std::ostream&)>& write);

}  // namespace ectoscope
