#include "traces/grouping_options.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr double kMillisecond = 1'000;
constexpr double kSecond = 1'000'000;

constexpr OptionSpec kOptions[] = {
    {"trace_quiet", Type::kDuration, 30 * kSecond, kSecond, 600 * kSecond,
     "A trace is closed after so long without a statement; raise it for requests that pause "
     "longer."},
    {"max_open_traces", Type::kInteger, 10'000, 10, 1'000'000,
     "Open traces; above it the one that was quiet longest is closed early."},
    {"max_trace_executions", Type::kInteger, 1'000, 10, 100'000,
     "Executions kept of one trace; those after it are still counted, shape by shape."},
    {"chain_window", Type::kDuration, 2 * kSecond, 500 * kMillisecond, 30 * kSecond,
     "Untagged statements are put together in windows of this length; longer sees more and later."},
    {"chain_max_gap", Type::kDuration, kSecond, 10 * kMillisecond, 10 * kSecond,
     "Untagged statements of one loop stand no further apart than this."},
};

}  // namespace

std::span<const OptionSpec> grouping_options() {
  return kOptions;
}

GroupingLimits::GroupingLimits(const Options& options)
    : trace_quiet(options.duration("trace_quiet")),
      max_open_traces(static_cast<size_t>(options.integer("max_open_traces"))),
      max_executions(static_cast<size_t>(options.integer("max_trace_executions"))) {
  loops.window = options.duration("chain_window");
  loops.max_gap = options.duration("chain_max_gap");
  loops.max_executions = max_executions;
}

}  // namespace ectoscope
