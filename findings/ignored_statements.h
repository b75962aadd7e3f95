// The statements that an ectoscope:ignore comment keeps from being judged.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "core/execution.h"
#include "core/query.h"
#include "core/report.h"

namespace ectoscope {

/// Counts all, and each shape of each database up to a bound.  Threads: one at a time.
class IgnoredStatements {
 public:
  explicit IgnoredStatements(size_t most_shapes = 1000) : most_shapes_(most_shapes) {}

  void add(const Execution& execution, const std::string& database);

  /// Fills in what was counted, most executions first.
  void fill(const QueryTable& queries, Ignoring& ignoring) const;

 private:
  struct Count {
    uint64_t executions = 0;
    Micros duration{0};
  };

  size_t most_shapes_;
  std::map<std::pair<QueryId, std::string>, Count> shapes_;
  uint64_t executions_ = 0;
  uint64_t left_out_ = 0;
};

}  // namespace ectoscope
