#include "daemon/version.h"

#include <cstdio>

#include "daemon/commands.h"
#include "daemon/exit_status.h"

namespace ectoscope {

int run_version() {
  std::printf("ectoscope %s\n", std::string(kVersion).c_str());
  return kExitDone;
}

}  // namespace ectoscope
