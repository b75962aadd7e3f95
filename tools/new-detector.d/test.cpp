#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "detectors/registry.h"

namespace ectoscope {
namespace {

class Collected final : public Report {
 public:
  void add(Observation observation) override { observations.push_back(std::move(observation)); }

  std::vector<Observation> observations;
};

const DetectorEntry& entry() {
  const auto registry = detector_registry();
  return *std::find_if(registry.begin(), registry.end(),
                       [](const DetectorEntry& one) { return one.name == "@name@"; });
}

struct Case {
  const char* why;
  size_t repeats;
  size_t observations;
};

TEST(@Name@, FiresOnWhatItIsForAndOnNothingElse) {
  for (const Case& one : {
           Case{"at the threshold", 5, 1},
           Case{"one below it", 4, 0},
           // Every healthy look-alike has its row.
       }) {
    QueryTable queries(16);
    Query query;
    query.operation = Operation::kSelect;
    const QueryId id = queries.add(query);
    std::vector<Execution> executions(one.repeats);
    for (Execution& execution : executions)
      execution.query = id;
    Trace trace;
    trace.executions = executions;

    Collected report;
    entry().make(Options(entry().options))->on_trace(trace, queries, report);
    EXPECT_EQ(report.observations.size(), one.observations) << one.why;
  }
}

}  // namespace
}  // namespace ectoscope
