// The parts of the JSON report that tell of gates and rules.
#pragma once

#include "core/report.h"
#include "outputs/json_writer.h"

namespace ectoscope {

/// The members "ignored", "ignoring", "gate" and "why" of the object that is open.
void write_notes(JsonWriter& json, const AnalysisReport& report);

}  // namespace ectoscope
