// The command line, read into values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/finding.h"
#include "core/time.h"
#include "daemon/own_log.h"

namespace ectoscope {

enum class OutputFormat : uint8_t { kText, kJson, kSarif, kJunit, kMarkdown, kHtml };

/// `ectoscope analyze`
struct AnalyzeArguments {
  static constexpr size_t kMostExamples = 100'000;

  std::vector<std::string> files;  // "-" alone is standard input
  std::string config_file;         // empty: the defaults
  // What is given here goes before the configuration.
  std::optional<std::string> format;
  std::optional<std::string> log_line_prefix;
  std::optional<std::string> timezone;
  std::optional<EventTime> since;  // executions that start before it are left out
  std::optional<EventTime> until;  // and those that start at it or later
  std::optional<std::string> database;
  OutputFormat output = OutputFormat::kText;
  std::string output_file;          // empty: standard output
  size_t examples = 5;              // kept for each finding
  std::optional<Severity> fail_on;  // none: no gate; a baseline alone asks for warnings
  std::string baseline;             // empty: none
  std::string write_baseline;       // likewise
  std::string ignore_file;          // empty: the working directory's, where it has one
  std::string why;                  // id or kind; empty: not asked
  bool scale = false;               // two files: the same tests over less data and more
  size_t in_full = SIZE_MAX;        // findings that the text report shows with all they have
};

/// `ectoscope serve`
struct ServeArguments {
  std::string config_file;
  std::string listen_address;   // empty: the configuration's
  std::string web_config_file;  // empty: plain HTTP, and no password
  std::string external_url;     // empty: the configuration's
  bool enable_lifecycle = false;
  OwnLog::Format log_format = OwnLog::Format::kLogfmt;
  LogLevel log_level = LogLevel::kInfo;
};

/// `ectoscope demo`
struct DemoArguments {
  bool once = false;
  std::string listen_address;  // empty: 127.0.0.1:9788, or another port when that is taken
};

/// `ectoscope doctor`
struct DoctorArguments {
  std::string config_file;  // empty: the defaults
  std::string dsn;          // instead of the configuration's servers
  std::string log_file;     // with `dsn`; empty: where the server says that it writes
  bool clusters = false;    // only list Debian's clusters and their logs
  std::string root;         // of the file system that they are in; empty: the machine's own
};

/// `ectoscope check config`
struct CheckConfigArguments {
  std::string file;
  bool print_example = false;
};

/// `ectoscope check ignore`
struct CheckIgnoreArguments {
  std::string file;
};

/// `ectoscope check web-config`
struct CheckWebConfigArguments {
  std::string file;
};

struct VersionArguments {};

/// Nothing is left to do: help was asked for (0), or the command line is wrong (2).
struct Done {
  int exit_status = 0;
  std::string output;  // for standard output
  std::string error;   // for standard error
};

using Command = std::variant<Done, AnalyzeArguments, ServeArguments, DemoArguments, DoctorArguments,
                             CheckConfigArguments, CheckIgnoreArguments, CheckWebConfigArguments,
                             VersionArguments>;

/// Never throws.
Command parse_command_line(int argc, const char* const* argv);

}  // namespace ectoscope
