#include <cstdio>

#include "config/config.h"
#include "daemon/commands.h"
#include "daemon/exit_status.h"
#include "daemon/load_config.h"
#include "daemon/output_file.h"
#include "daemon/pipeline.h"
#include "platform/posix_files.h"

namespace ectoscope {

int run_check_config(const CheckConfigArguments& arguments) {
  if (arguments.print_example) {
    const auto error =
        write_stdout([](std::ostream& out) { out << render_example(settings_tables()); });
    if (error) std::fprintf(stderr, "ectoscope check config: %s\n", error->message.c_str());
    return error ? kExitInput : kExitDone;
  }
  const auto files = make_posix_files();
  const auto config = load_config(*files, arguments.file);
  if (!config.ok()) {
    std::fprintf(stderr, "%s\n", config.error().message.c_str());
    return kExitUsage;
  }
  std::printf("%s: no problems\n", arguments.file.c_str());
  return kExitDone;
}

}  // namespace ectoscope
