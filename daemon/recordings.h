// The recorded traffic that `ectoscope demo` shows.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"

namespace ectoscope {

/// The bundled files, by name: from share/ectoscope beside the binary's folder, from the source
/// tree that the binary was built in, or from /usr/share/ectoscope.
Result<std::vector<std::string>> find_recordings();

}  // namespace ectoscope
