#include <cstdio>

#include "daemon/commands.h"
#include "daemon/exit_status.h"
#include "daemon/recordings.h"

namespace ectoscope {

// There is no daemon yet that could go on: with and without --once it ends after the report.
int run_demo(const DemoArguments& /*arguments*/) {
  auto recordings = find_recordings();
  if (!recordings.ok()) {
    std::fprintf(stderr, "ectoscope demo: %s\n", recordings.error().message.c_str());
    return kExitInput;
  }
  std::puts(
      "This is `ectoscope analyze` over logs that PostgreSQL 15 wrote of a small Ecto application, "
      "a shop.\n"
      "Part of it tags its statements with trace ids, part runs with Ecto's defaults and no tags "
      "at all.\n"
      "Costliest first: what happened, where, the change that mends it, and the worst request's "
      "queries.\n");
  std::fflush(stdout);
  AnalyzeArguments arguments;
  arguments.files = std::move(recordings.value());
  return run_analyze(arguments);
}

}  // namespace ectoscope
