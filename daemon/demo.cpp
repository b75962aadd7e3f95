#include <cstdio>
#include <filesystem>
#include <utility>

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
      "This is `ectoscope analyze` over logs that PostgreSQL wrote of an Ecto application, a shop: "
      "a\n"
      "part with trace ids on its statements, a part with Ecto's defaults and no tags at all. "
      "Costliest\n"
      "first: what happened, where, the change that mends it, and the queries of the worst "
      "request.\n");
  std::fflush(stdout);
  AnalyzeArguments arguments;
  arguments.files = std::move(recordings.value());
  arguments.in_full = 8;
  const int status = run_analyze(arguments);
  if (status == kExitDone) {
    std::printf("\nAll of them in full: ectoscope analyze %s/*\n",
                std::filesystem::path(arguments.files.front()).parent_path().c_str());
  }
  return status;
}

}  // namespace ectoscope
