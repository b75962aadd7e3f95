// The parts of the JSON report that tell of gates and rules.
#pragma once

#include "core/report.h"
#include "outputs/json_writer.h"

namespace ectoscope {

/// The members "ignored" and "ignoring" of the object that is open.
void write_ignoring(JsonWriter& json, const Ignoring& ignoring);

/// Something that was nearly found, as an object.
void write_miss(JsonWriter& json, const Miss& miss);

/// These, and "gate" and, where it was asked for, "why".
void write_notes(JsonWriter& json, const AnalysisReport& report);

}  // namespace ectoscope
