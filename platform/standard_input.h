// Standard input as a log that grows: `kubectl logs -f ... | ectoscope serve` with "-" as its log.
#pragma once

#include <memory>

#include "core/log_files.h"

namespace ectoscope {

/// The files of `files`, and "-": what comes in on `descriptor` while it is read.
///
/// It has no past: what was handed out and let go of can't be read again, so nobody goes on in it
/// after a restart.  When it has ended, and all of it was read, list("-") is an Error that says so.
///
/// Memory: a block of what nobody has read yet; then the writer waits.
/// Threads: any.  `files` outlives it; the descriptor stays the caller's.
std::unique_ptr<LogFiles> with_standard_input(LogFiles& files, int descriptor);

}  // namespace ectoscope
