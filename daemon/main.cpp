#include <cstdio>
#include <exception>
#include <variant>

#include "daemon/command_line.h"
#include "daemon/commands.h"
#include "daemon/exit_status.h"

namespace ectoscope {
namespace {

struct Run {
  int operator()(const Done& done) const {
    std::fputs(done.output.c_str(), stdout);
    std::fputs(done.error.c_str(), stderr);
    return done.exit_status;
  }
  int operator()(const AnalyzeArguments& arguments) const { return run_analyze(arguments); }
  int operator()(const ServeArguments& arguments) const { return run_serve(arguments); }
  int operator()(const DemoArguments& arguments) const { return run_demo(arguments); }
  int operator()(const DoctorArguments& arguments) const { return run_doctor(arguments); }
  int operator()(const CheckConfigArguments& arguments) const {
    return run_check_config(arguments);
  }
  int operator()(const CheckIgnoreArguments& arguments) const {
    return run_check_ignore(arguments);
  }
  int operator()(const CheckWebConfigArguments& arguments) const {
    return run_check_web_config(arguments);
  }
  int operator()(const VersionArguments& /*none*/) const { return run_version(); }
};

}  // namespace
}  // namespace ectoscope

int main(int argc, char** argv) {
  // What may still be thrown is the library's own: out of memory above all.
  try {
    return std::visit(ectoscope::Run{}, ectoscope::parse_command_line(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ectoscope: %s\n", error.what());
    return ectoscope::kExitInput;
  }
}
