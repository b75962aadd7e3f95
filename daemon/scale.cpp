#include "daemon/scale.h"

#include <algorithm>

#include "findings/gate.h"

namespace ectoscope {
namespace {

InputFacts both(const InputFacts& small, const InputFacts& large) {
  if (!blindness(small).empty()) return small;
  if (!blindness(large).empty()) return large;
  InputFacts sum = large;
  sum.bytes += small.bytes;
  sum.records += small.records;
  sum.statements += small.statements;
  sum.traces += small.traces;
  for (const auto& [reason, count] : small.unparsed)
    sum.unparsed[reason] += count;
  sum.last_event = std::max(small.last_event, large.last_event);
  return sum;
}

}  // namespace

AnalysisReport compare_runs(const Pipeline& small, const AnalysisReport& small_report,
                            const Pipeline& large, const AnalysisReport& large_report) {
  AnalysisReport report;
  report.input = both(small_report.input, large_report.input);
  report.findings = compare_growth(*small.growth(), *large.growth());
  return report;
}

}  // namespace ectoscope
