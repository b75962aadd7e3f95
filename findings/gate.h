// Whether a run may pass.
#pragma once

#include <string>

#include "core/report.h"
#include "findings/baseline.h"

namespace ectoscope {

/// Findings of `fail_on` and worse fail, but for those in the baseline (null: there is none), and
/// so does input that could not show an N+1 had there been one: no clean bill for what was not
/// seen. Ignored findings are to be taken out of the report before.
Gate judge_gate(const AnalysisReport& report, Severity fail_on, const Baseline* baseline);

/// Why the input can't be judged clean, and what to do; empty when it can.
std::string blindness(const InputFacts& input);

}  // namespace ectoscope
