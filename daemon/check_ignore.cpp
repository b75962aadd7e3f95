#include <cstdio>

#include "daemon/commands.h"
#include "daemon/exit_status.h"
#include "daemon/suppressions.h"
#include "platform/posix_files.h"

namespace ectoscope {

int run_check_ignore(const CheckIgnoreArguments& arguments) {
  const auto files = make_posix_files();
  const auto rules = load_ignore_file(*files, arguments.file);
  if (!rules.ok()) {
    std::fprintf(stderr, "%s\n", rules.error().message.c_str());
    return kExitUsage;
  }
  const size_t count = rules.value().size();
  std::printf("%s: %zu %s, no problems\n", arguments.file.c_str(), count,
              count == 1 ? "rule" : "rules");
  return kExitDone;
}

}  // namespace ectoscope
