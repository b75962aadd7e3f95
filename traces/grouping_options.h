// Settings of grouping: the stanza `grouping:` of the configuration.
#pragma once

#include <span>

#include "core/options.h"
#include "traces/loop_linker.h"

namespace ectoscope {

std::span<const OptionSpec> grouping_options();

/// Grouping's settings with their types.
struct GroupingLimits {
  explicit GroupingLimits(const Options& options);

  Micros trace_quiet;  // a tagged trace or a transaction is closed after so long without more
  size_t max_open_traces;
  size_t max_executions;  // kept of one trace; the rest is counted exactly
  LoopLimits loops;
};

}  // namespace ectoscope
