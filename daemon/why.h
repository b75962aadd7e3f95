// `--why`: what became of a finding that is not there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "core/report.h"
#include "daemon/pipeline.h"
#include "detectors/registry.h"
#include "findings/near_miss_book.h"

namespace ectoscope {

/// Empty when `asked` is the id or the kind of a finding, else what is wrong with it.
std::string problem_with_why(const std::string& asked);

/// Adds what `book` has of the detector's kind, nearest first, bounded.
void describe_misses(const NearMissBook& book, const DetectorEntry& entry,
                     const std::string& server, const QueryTable& queries,
                     std::vector<Miss>& misses);

/// `pipeline` has kept its near misses and is finished; ignored findings are out of
/// `report.findings` already.
Explanation explain(const std::string& asked, const Config& config, const Pipeline& pipeline,
                    const AnalysisReport& report);

}  // namespace ectoscope
