#include <algorithm>
#include <cstdio>
#include <unistd.h>

#include "daemon/commands.h"
#include "daemon/exit_status.h"
#include "daemon/inputs.h"
#include "daemon/load_config.h"
#include "daemon/output_file.h"
#include "daemon/pipeline.h"
#include "daemon/progress.h"
#include "daemon/terminal.h"
#include "daemon/version.h"
#include "outputs/json_report.h"
#include "outputs/text_report.h"
#include "platform/posix_files.h"

namespace ectoscope {
namespace {

int fail(int status, const std::string& message) {
  std::fprintf(stderr, "ectoscope analyze: %s\n", message.c_str());
  return status;
}

InputConfig input_settings(const Config& config, const AnalyzeArguments& arguments) {
  InputConfig input = config.input();
  if (arguments.format) input.format = *arguments.format;
  if (arguments.log_line_prefix) input.log_line_prefix = *arguments.log_line_prefix;
  if (arguments.timezone) input.timezone = *arguments.timezone;
  return input;
}

std::optional<Error> write_report(const AnalysisReport& report, const QueryTable& queries,
                                  const AnalyzeArguments& arguments) {
  const bool to_file = !arguments.output_file.empty();
  const TextStyle style = to_file ? TextStyle{} : style_for(STDOUT_FILENO);
  const auto write = [&](std::ostream& out) {
    if (arguments.output == OutputFormat::kJson) {
      write_json_report(report, kVersion, out);
    } else {
      write_text_report(report, queries, style, out, arguments.in_full);
    }
  };
  return to_file ? write_file(arguments.output_file, write) : write_stdout(write);
}

bool reaches(const AnalysisReport& report, Severity gate) {
  return std::any_of(report.findings.begin(), report.findings.end(),
                     [gate](const Finding& finding) { return finding.severity >= gate; });
}

}  // namespace

int run_analyze(const AnalyzeArguments& arguments) {
  const auto files = make_posix_files();
  const auto config = load_config(*files, arguments.config_file);
  if (!config.ok()) {
    std::fprintf(stderr, "%s\n", config.error().message.c_str());
    return kExitUsage;
  }
  Pipeline pipeline(config.value(), {arguments.since, arguments.until, arguments.database},
                    arguments.examples);
  LogInputs inputs(*files, input_settings(config.value(), arguments));
  if (const auto error = inputs.open(arguments.files)) return fail(kExitInput, error->message);
  Progress progress(is_terminal(STDERR_FILENO), inputs.total_bytes());
  if (const auto error = inputs.read(pipeline, progress)) {
    progress.clear();
    return fail(kExitInput, error->message);
  }
  progress.clear();
  for (const std::string& warning : inputs.warnings())
    std::fprintf(stderr, "ectoscope analyze: %s\n", warning.c_str());

  const AnalysisReport report = pipeline.finish();
  if (const auto error = write_report(report, pipeline.queries(), arguments)) {
    return fail(kExitInput, error->message);
  }
  return arguments.fail_on && reaches(report, *arguments.fail_on) ? kExitGate : kExitDone;
}

}  // namespace ectoscope
