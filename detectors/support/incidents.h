// Observations of incidents: both sides of them.
#pragma once

#include "core/finding.h"
#include "core/incident.h"

namespace ectoscope {

/// Begins an observation: shapes, times, pids and traces of both sides.  `parent` is the other
/// side's statement.
Observation observe(const Incident& incident);

}  // namespace ectoscope
