// The queries of a finding's worst example over time.
#pragma once

#include "core/snapshot.h"
#include "outputs/html.h"

namespace ectoscope {

/// A strip with all steps and the gaps between them, what it says in words, and each step as a row.
/// Writes nothing for a finding without a timeline.
void write_waterfall(HtmlWriter& html, const TrackedFinding& tracked);

}  // namespace ectoscope
