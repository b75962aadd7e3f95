// `--why`: what became of a finding that is not there.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"
#include "core/report.h"
#include "daemon/pipeline.h"

namespace ectoscope {

/// Empty when `asked` is the id or the kind of a finding, else what is wrong with it.
std::string problem_with_why(const std::string& asked);

/// `pipeline` has kept its near misses and is finished; ignored findings are out of
/// `report.findings` already.
Explanation explain(const std::string& asked, const Config& config, const Pipeline& pipeline,
                    const AnalysisReport& report);

}  // namespace ectoscope
