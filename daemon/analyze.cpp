#include <cstdio>
#include <memory>
#include <set>
#include <unistd.h>

#include "daemon/commands.h"
#include "daemon/exit_status.h"
#include "daemon/inputs.h"
#include "daemon/load_config.h"
#include "daemon/output_file.h"
#include "daemon/pipeline.h"
#include "daemon/progress.h"
#include "daemon/scale.h"
#include "daemon/suppressions.h"
#include "daemon/terminal.h"
#include "daemon/version.h"
#include "daemon/why.h"
#include "findings/gate.h"
#include "outputs/html_report.h"
#include "outputs/json_report.h"
#include "outputs/junit_report.h"
#include "outputs/markdown_report.h"
#include "outputs/report_notes.h"
#include "outputs/sarif_report.h"
#include "outputs/text_layout.h"
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
    switch (arguments.output) {
      case OutputFormat::kText:
        return write_text_report(report, queries, style, out, arguments.in_full);
      case OutputFormat::kJson:
        return write_json_report(report, kVersion, out);
      case OutputFormat::kSarif:
        return write_sarif_report(report, kVersion, out);
      case OutputFormat::kJunit:
        return write_junit_report(report, out);
      case OutputFormat::kMarkdown:
        return write_markdown_report(report, out);
      case OutputFormat::kHtml:
        return write_html_report(report, queries, kVersion, out);
    }
  };
  return to_file ? write_file(arguments.output_file, write) : write_stdout(write);
}

struct Run {
  std::unique_ptr<Pipeline> pipeline;
  AnalysisReport report;
};

/// Reads `paths` as one log.
Result<Run> read_log(Files& files, const Config& config, const AnalyzeArguments& arguments,
                     const std::vector<std::string>& paths) {
  Run run;
  run.pipeline = std::make_unique<Pipeline>(
      config, ExecutionFilter{arguments.since, arguments.until, arguments.database},
      PipelineExtras{arguments.examples, !arguments.why.empty(), arguments.scale});
  LogInputs inputs(files, input_settings(config, arguments));
  if (const auto error = inputs.open(paths)) return *error;
  Progress progress(is_terminal(STDERR_FILENO), inputs.total_bytes());
  const auto error = inputs.read(*run.pipeline, progress);
  progress.clear();
  if (error) return *error;
  for (const std::string& warning : inputs.warnings())
    std::fprintf(stderr, "ectoscope analyze: %s\n", warning.c_str());
  run.report = run.pipeline->finish();
  return run;
}

Result<Run> read_logs(Files& files, const Config& config, const AnalyzeArguments& arguments) {
  if (!arguments.scale) return read_log(files, config, arguments, arguments.files);
  auto small = read_log(files, config, arguments, {arguments.files[0]});
  if (!small.ok()) return small.error();
  auto large = read_log(files, config, arguments, {arguments.files[1]});
  if (!large.ok()) return large.error();
  large.value().report = compare_runs(*small.value().pipeline, small.value().report,
                                      *large.value().pipeline, large.value().report);
  return large;
}

/// Adds to the report what rules, baseline and --why say of it; writes the baseline.
std::optional<Error> judge(const AnalyzeArguments& arguments, const Config& config,
                           Suppressions& suppressions, Run& run) {
  AnalysisReport& report = run.report;
  // By the log's own time, so that the same log gives the same report on any day.
  Ignoring ignoring = suppressions.rules.take_from(
      report.findings, report.input.last_event.value_or(EventTime::min()));
  run.pipeline->ignored().fill(run.pipeline->queries(), ignoring);
  ignoring.files = suppressions.files;
  report.ignoring = std::move(ignoring);
  if (!arguments.write_baseline.empty()) {
    const std::string text = render_baseline(report);
    if (auto error =
            write_file(arguments.write_baseline, [&](std::ostream& out) { out << text; })) {
      return error;
    }
    suppressions.baseline = parse_baseline(text, arguments.write_baseline).value();
  }
  if (arguments.fail_on) {
    const Baseline* baseline = suppressions.baseline ? &*suppressions.baseline : nullptr;
    report.gate = judge_gate(report, *arguments.fail_on, baseline);
  }
  if (!arguments.why.empty()) {
    report.why = explain(arguments.why, config, *run.pipeline, report);
  }
  return std::nullopt;
}

/// The report may be in a file, and for a machine: who reads the job's output is told here.
void tell_failure(const AnalysisReport& report) {
  std::fprintf(stderr, "ectoscope analyze: gate %s\n", gate_sentence(*report.gate).c_str());
  if (!report.gate->blind.empty()) std::fprintf(stderr, "  %s\n", report.gate->blind.c_str());
  const std::set<std::string> failing(report.gate->failing.begin(), report.gate->failing.end());
  for (const Finding& finding : report.findings) {
    if (!failing.contains(finding.id)) continue;
    std::fprintf(stderr, "  %s  %s\n", finding.id.c_str(),
                 harmless(steady_summary(finding)).c_str());
  }
}

}  // namespace

int run_analyze(const AnalyzeArguments& arguments) {
  const auto files = make_posix_files();
  const auto config = load_config(*files, arguments.config_file);
  if (!config.ok()) {
    std::fprintf(stderr, "%s\n", config.error().message.c_str());
    return kExitUsage;
  }
  auto suppressions = load_suppressions(*files, config.value(), arguments);
  if (!suppressions.ok()) {
    std::fprintf(stderr, "%s\n", suppressions.error().message.c_str());
    return kExitUsage;
  }
  auto run = read_logs(*files, config.value(), arguments);
  if (!run.ok()) return fail(kExitInput, run.error().message);
  if (const auto error = judge(arguments, config.value(), suppressions.value(), run.value())) {
    return fail(kExitInput, error->message);
  }
  const AnalysisReport& report = run.value().report;
  if (const auto error = write_report(report, run.value().pipeline->queries(), arguments)) {
    return fail(kExitInput, error->message);
  }
  if (!report.gate || report.gate->passed) return kExitDone;
  tell_failure(report);
  return kExitGate;
}

}  // namespace ectoscope
