// The subcommands; one file each.  All return the exit status and say on standard error what went
// wrong.
#pragma once

#include "daemon/command_line.h"

namespace ectoscope {

int run_analyze(const AnalyzeArguments& arguments);
int run_serve(const ServeArguments& arguments);
int run_doctor(const DoctorArguments& arguments);
int run_demo(const DemoArguments& arguments);
int run_check_config(const CheckConfigArguments& arguments);
int run_check_ignore(const CheckIgnoreArguments& arguments);
int run_check_web_config(const CheckWebConfigArguments& arguments);
int run_version();

}  // namespace ectoscope
