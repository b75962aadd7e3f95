// The real file system.
#pragma once

#include <memory>

#include "core/files.h"

namespace ectoscope {

/// Follows symbolic links, and reads FIFOs and devices too.  Standard input is left open when its
/// file is closed.
std::unique_ptr<Files> make_posix_files();

}  // namespace ectoscope
