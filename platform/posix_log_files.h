// The real file system, for a follower.
#pragma once

#include <memory>

#include "core/log_files.h"

namespace ectoscope {

std::unique_ptr<LogFiles> make_posix_log_files();

}  // namespace ectoscope
