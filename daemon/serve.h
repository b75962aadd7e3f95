// The daemon from its configuration to its end; `serve` and `demo` are this.
#pragma once

#include <functional>
#include <string>

#include "config/config.h"
#include "daemon/command_line.h"

namespace ectoscope {

/// SIGTERM, SIGINT and SIGHUP come to serve() alone, in whatever thread it runs: before any other
/// thread is made.
void block_signals();

/// Until SIGTERM or SIGINT.  `started` is told where the pages are, once they are.  The result is
/// an exit status; what went wrong has been said.
int serve(Config config, const ServeArguments& arguments,
          const std::function<void(const std::string& url)>& started);

}  // namespace ectoscope
