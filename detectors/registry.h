// Every detector there is.  The table is generated at configure time from the files in this folder
// (see CMakeLists.txt); nobody edits a list.
#pragma once

#include <span>

#include "core/detector.h"

namespace ectoscope {

/// Sorted by name, so detectors run and findings appear in one order everywhere.
std::span<const DetectorEntry> detector_registry();

}  // namespace ectoscope
