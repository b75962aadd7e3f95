#include <cstdio>

#include "daemon/commands.h"
#include "daemon/exit_status.h"
#include "daemon/web_config_file.h"
#include "platform/posix_files.h"
#include "platform/system_clock.h"

namespace ectoscope {

int run_check_web_config(const CheckWebConfigArguments& arguments) {
  const auto files = make_posix_files();
  const auto loaded = load_web_config(*files, arguments.file);
  if (!loaded.ok()) {
    std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
    return kExitUsage;
  }
  const auto clock = make_system_clock();
  if (const auto doubt = certificate_doubt(loaded.value(), clock->wall()))
    std::printf("%s: %s\n", arguments.file.c_str(), doubt->c_str());
  const size_t users = loaded.value().access.users.size();
  std::printf("%s: no problems; %s, %zu %s\n", arguments.file.c_str(),
              loaded.value().tls ? "TLS" : "no TLS", users, users == 1 ? "user" : "users");
  return kExitDone;
}

}  // namespace ectoscope
