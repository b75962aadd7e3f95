// `analyze --scale`: the same tests over little data and over more.
#pragma once

#include "core/report.h"
#include "daemon/pipeline.h"

namespace ectoscope {

/// What grew from `small` to `large`, which have kept their growth.  The report's input is both
/// together; where one of them shows too little to be judged, that one.
AnalysisReport compare_runs(const Pipeline& small, const AnalysisReport& small_report,
                            const Pipeline& large, const AnalysisReport& large_report);

}  // namespace ectoscope
