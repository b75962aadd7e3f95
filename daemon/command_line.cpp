// The one file that includes CLI11, which costs seconds to compile.
#include "daemon/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>

#include "config/config.h"
#include "config/values.h"
#include "daemon/exit_status.h"
#include "daemon/time_argument.h"
#include "daemon/version.h"
#include "daemon/why.h"

namespace ectoscope {
namespace {

constexpr const char* kAnalyzeFooter = R"(
Several files are taken as the rotations of one log and read in the order of their first stamps;
.gz and .zst files are read as they are.  Exit status: 0 done, 1 the gate failed,
2 wrong usage or configuration, 3 an input could not be read.

Examples:
  ectoscope analyze /var/log/postgresql/postgresql-15-main.log
  ectoscope analyze --since='2026-11-22 08:00' --database=shop --output=json *.csv.gz
  docker logs db 2>&1 | ectoscope analyze --fail-on=warning -
  ectoscope analyze --baseline=.ectoscope-baseline --output=markdown test.log)";

/// A checker of CLI11 returns what is wrong with the text, or nothing.
auto setting_checker(const char* key) {
  return [key](const std::string& text) { return problem_with(key, text); };
}

auto choice_checker(std::vector<std::string> choices) {
  return [choices = std::move(choices)](const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) return std::string();
    std::string all;
    for (const std::string& choice : choices)
      all += (all.empty() ? "" : ", ") + choice;
    return in_quotes(text) + " is not one of " + all;
  };
}

std::string time_checker(const std::string& text) {
  if (parse_time_argument(text)) return "";
  return in_quotes(text) +
         " is not a time like 2026-11-22, '2026-11-22 08:30' or 2026-11-22T08:30:15.250+02:00 "
         "(UTC when it has no zone)";
}

std::string examples_checker(const std::string& text) {
  if (text == "all") return "";
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool good = error == std::errc{} && end == text.data() + text.size() &&
                    number <= AnalyzeArguments::kMostExamples;
  return good ? "" : in_quotes(text) + " is not all or a number from 0 to 100000";
}

/// Options whose text is turned into values once CLI11 is done.
struct RawAnalyze {
  AnalyzeArguments arguments;
  std::string since;
  std::string until;
  std::string output = "text";
  std::string examples = "5";
  std::string fail_on;
};

void add_input_options(CLI::App& command, RawAnalyze& raw) {
  AnalyzeArguments& to = raw.arguments;
  command.add_option("FILE", to.files, "Log files, or - for standard input")
      ->required()
      ->type_name("");
  command
      .add_option(
          "--format", to.format,
          "auto, stderr, csvlog, jsonlog, cnpg, cloudsql, rds, syslog or journald (default: "
          "auto, by the first bytes)")
      ->type_name("FORMAT")
      ->check(setting_checker("format"));
  command
      .add_option("--log-line-prefix", to.log_line_prefix,
                  "As in postgresql.conf (default: found from the records)")
      ->type_name("PREFIX")
      ->check(setting_checker("log_line_prefix"));
  command
      .add_option("--timezone", to.timezone,
                  "What IST and other names of several zones mean, like +05:30 (default: UTC)")
      ->type_name("ZONE")
      ->check(setting_checker("timezone"));
  command.add_option("--since", raw.since, "Leave out what started earlier")
      ->type_name("TIME")
      ->check(time_checker);
  command.add_option("--until", raw.until, "Leave out what started then or later")
      ->type_name("TIME")
      ->check(time_checker);
  command.add_option("--database", to.database, "Only this database")->type_name("NAME");
}

void add_output_options(CLI::App& command, RawAnalyze& raw) {
  command
      .add_option("--output", raw.output,
                  "text, json, sarif, junit, markdown or html (default: text)")
      ->type_name("FORM")
      ->check(choice_checker({"text", "json", "sarif", "junit", "markdown", "html"}));
  command
      .add_option("--output.file", raw.arguments.output_file,
                  "Write the report there, whole or not at all (default: standard output)")
      ->type_name("PATH");
  command
      .add_option("--examples", raw.examples,
                  "How many occurrences of a finding are listed, or all (default: 5)")
      ->type_name("N")
      ->check(examples_checker);
}

void add_gate_options(CLI::App& command, RawAnalyze& raw) {
  AnalyzeArguments& to = raw.arguments;
  command
      .add_option("--fail-on", raw.fail_on,
                  "Exit 1 on findings of this severity or a higher one, and on input\n"
                  "that does not show every statement: none, info, warning or critical\n"
                  "(default: none; warning with --baseline)")
      ->type_name("SEVERITY")
      ->check(choice_checker({"none", "info", "warning", "critical"}));
  command
      .add_option("--baseline", to.baseline, "Findings listed there do not fail; only new ones do")
      ->type_name("PATH");
  command
      .add_option("--write-baseline", to.write_baseline,
                  "List what is found there, to be let pass from now on")
      ->type_name("PATH");
  command
      .add_option("--ignore.file", to.ignore_file,
                  "Findings to ignore, with reasons (default: .ectoscope.yaml in\n"
                  "the working directory, where there is one)")
      ->type_name("PATH");
  command
      .add_option("--why", to.why,
                  "Explain why a finding was not reported: its id, or a kind;\n"
                  "with --output=text or json")
      ->type_name("ID|KIND")
      ->check(problem_with_why);
  command.add_flag("--scale", to.scale,
                   "FILE FILE are the same tests over little data and over more:\n"
                   "report every query that ran more often with more");
}

CLI::App* add_analyze(CLI::App& app, RawAnalyze& raw) {
  CLI::App* command = app.add_subcommand("analyze", "Read PostgreSQL logs once and report");
  add_input_options(*command, raw);
  add_output_options(*command, raw);
  add_gate_options(*command, raw);
  command
      ->add_option("--config.file", raw.arguments.config_file,
                   "Settings (default: config/ectoscope.example.yaml has them all)")
      ->type_name("PATH");
  command->footer(kAnalyzeFooter);
  return command;
}

constexpr const char* kDoctorFooter = R"(
Connects, reads the settings and the head of the log, and prints which kinds of findings can be
seen, with the SQL that shows the rest.  Exit status: 0 nothing is hidden, 1 something is,
2 wrong usage or configuration, 3 the server could not be asked.

Examples:
  ectoscope doctor --dsn='host=/run/postgresql dbname=shop user=ectoscope'
  ectoscope doctor --dsn=postgresql://ectoscope@db1/shop --log.file=/var/log/postgresql/db1.json)";

CLI::App* add_doctor(CLI::App& app, DoctorArguments& to) {
  CLI::App* command =
      app.add_subcommand("doctor", "Say what a server's settings hide, and how to show it");
  command->add_option("--config.file", to.config_file, "Whose servers are looked at")
      ->type_name("PATH");
  auto* dsn = command->add_option("--dsn", to.dsn, "This server instead of the configuration's")
                  ->type_name("DSN");
  command
      ->add_option("--log.file", to.log_file,
                   "Its log (default: where the server says that it writes)")
      ->type_name("PATH")
      ->needs(dsn);
  auto* clusters = command->add_flag(
      "--clusters", to.clusters, "List Debian's clusters on this machine and their logs instead");
  command->add_option("--root", to.root, "Where that machine's files are (default: /)")
      ->type_name("PATH")
      ->needs(clusters);
  command->footer(kDoctorFooter);
  return command;
}

struct RawServe {
  ServeArguments arguments;
  std::string format = "logfmt";
  std::string level = "info";
};

CLI::App* add_serve(CLI::App& app, RawServe& raw) {
  CLI::App* command =
      app.add_subcommand("serve", "Follow PostgreSQL logs, and serve what is found");
  command->add_option("--config.file", raw.arguments.config_file, "The servers and their logs")
      ->required()
      ->type_name("PATH");
  command
      ->add_option("--web.listen-address", raw.arguments.listen_address,
                   "HOST:PORT (default: the configuration's web.listen_address)")
      ->type_name("ADDRESS")
      ->check(setting_checker("listen_address"));
  command
      ->add_option("--web.config.file", raw.arguments.web_config_file,
                   "TLS, passwords and headers, as exporter-toolkit has them")
      ->type_name("PATH");
  command
      ->add_option("--web.external-url", raw.arguments.external_url,
                   "Where people reach the pages, for links in alerts (default: the "
                   "configuration's web.external_url)")
      ->type_name("URL")
      ->check(setting_checker("external_url"));
  command->add_flag("--web.enable-lifecycle", raw.arguments.enable_lifecycle,
                    "Let POST /-/reload read the configuration again");
  command->add_option("--log.format", raw.format, "logfmt or json (default: logfmt)")
      ->type_name("FORMAT")
      ->check(choice_checker({"logfmt", "json"}));
  command->add_option("--log.level", raw.level, "debug, info, warn or error (default: info)")
      ->type_name("LEVEL")
      ->check(choice_checker({"debug", "info", "warn", "error"}));
  command->footer(
      "\nSIGHUP reads the configuration again; SIGTERM ends it, with everything committed.");
  return command;
}

void add_demo(CLI::App& app, DemoArguments& to) {
  CLI::App* command = app.add_subcommand(
      "demo", "The daemon over recorded traffic of an Ecto application; no set-up");
  command->add_flag("--once", to.once, "Report on the recordings once instead, and end");
  command
      ->add_option("--web.listen-address", to.listen_address,
                   "HOST:PORT (default: 127.0.0.1:9788, or another port when it is taken)")
      ->type_name("ADDRESS")
      ->check(setting_checker("listen_address"));
  command->footer("\nCtrl-C ends it; nothing stays behind.");
}

ServeArguments finish(RawServe raw) {
  ServeArguments& to = raw.arguments;
  if (raw.format == "json") to.log_format = OwnLog::Format::kJson;
  if (raw.level == "debug") to.log_level = LogLevel::kDebug;
  if (raw.level == "warn") to.log_level = LogLevel::kWarn;
  if (raw.level == "error") to.log_level = LogLevel::kError;
  return to;
}

std::optional<Severity> severity_of(const std::string& name) {
  for (const Severity severity : {Severity::kInfo, Severity::kWarning, Severity::kCritical}) {
    if (name_of(severity) == name) return severity;
  }
  return std::nullopt;
}

OutputFormat format_of(const std::string& name) {
  if (name == "json") return OutputFormat::kJson;
  if (name == "sarif") return OutputFormat::kSarif;
  if (name == "junit") return OutputFormat::kJunit;
  if (name == "markdown") return OutputFormat::kMarkdown;
  return name == "html" ? OutputFormat::kHtml : OutputFormat::kText;
}

Command finish(RawAnalyze raw) {
  AnalyzeArguments& to = raw.arguments;
  for (const std::string& file : to.files) {
    if (file == "-" && to.files.size() > 1) {
      return Done{kExitUsage, "", "ectoscope analyze: - (standard input) stands alone\n"};
    }
  }
  if (!raw.since.empty()) to.since = parse_time_argument(raw.since);
  if (!raw.until.empty()) to.until = parse_time_argument(raw.until);
  if (to.since && to.until && *to.until <= *to.since) {
    return Done{kExitUsage, "", "ectoscope analyze: --until is not after --since\n"};
  }
  to.output = format_of(raw.output);
  const bool for_people = to.output == OutputFormat::kText || to.output == OutputFormat::kJson;
  if (!to.why.empty() && (!for_people || to.scale)) {
    return Done{kExitUsage, "",
                "ectoscope analyze: --why goes with --output=text or json, and not with --scale\n"};
  }
  if (to.scale && (to.files.size() != 2 || to.files[0] == "-")) {
    return Done{kExitUsage, "",
                "ectoscope analyze: --scale takes two files: the log of the tests over little "
                "data, then over more\n"};
  }
  to.examples = AnalyzeArguments::kMostExamples;
  if (raw.examples != "all") {
    std::from_chars(raw.examples.data(), raw.examples.data() + raw.examples.size(), to.examples);
  }
  to.fail_on = severity_of(raw.fail_on);
  if (raw.fail_on.empty() && !to.baseline.empty()) to.fail_on = Severity::kWarning;
  return to;
}

struct RawCheck {
  CheckConfigArguments config;
  CheckIgnoreArguments ignore;
  CheckWebConfigArguments web;
};

CLI::App* add_check(CLI::App& app, RawCheck& raw) {
  CLI::App* check = app.add_subcommand("check", "Validate a file: every problem, with its place");
  check->require_subcommand(1);
  CLI::App* config = check->add_subcommand("config", "Validate a configuration");
  auto* file = config->add_option("FILE", raw.config.file, "The YAML file")->type_name("");
  auto* example = config->add_flag("--print-example", raw.config.print_example,
                                   "Print a file with every setting and its default");
  file->excludes(example);
  CLI::App* ignore = check->add_subcommand("ignore", "Validate a file of ignore rules");
  ignore->add_option("FILE", raw.ignore.file, "The YAML file")->required()->type_name("");
  CLI::App* web = check->add_subcommand("web-config", "Validate a file for --web.config.file");
  web->add_option("FILE", raw.web.file, "The YAML file")->required()->type_name("");
  return check;
}

Command finish(const CLI::App& check, RawCheck raw) {
  if (check.got_subcommand("ignore")) return raw.ignore;
  if (check.got_subcommand("web-config")) return raw.web;
  if (raw.config.file.empty() && !raw.config.print_example) {
    return Done{kExitUsage, "", "ectoscope check config: FILE is required\n"};
  }
  return raw.config;
}

Done exit_of(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream out;
  std::ostringstream err;
  const int status = app.exit(error, out, err);
  return {status == 0 ? kExitDone : kExitUsage, out.str(), err.str()};
}

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
  constexpr std::array<std::string_view, 6> kCommands = {"analyze", "check", "demo",
                                                         "doctor",  "serve", "version"};
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (!first.empty() && first[0] != '-' &&
      std::find(kCommands.begin(), kCommands.end(), first) == kCommands.end()) {
    return Done{kExitUsage, "",
                "ectoscope: there is no command " + in_quotes(first) +
                    "; there are analyze, serve, demo, doctor, check and version\n"};
  }
  CLI::App app("Tells what an Ecto application's queries do wrong, from PostgreSQL's own log.",
               "ectoscope");
  app.require_subcommand(1);
  app.get_formatter()->column_width(28);
  app.set_version_flag("--version", std::string("ectoscope ") + std::string(kVersion));

  RawAnalyze raw;
  DemoArguments demo_arguments;
  RawServe raw_serve;
  const CLI::App* analyze = add_analyze(app, raw);
  const CLI::App* serve = add_serve(app, raw_serve);
  add_demo(app, demo_arguments);
  DoctorArguments doctor_arguments;
  const CLI::App* doctor = add_doctor(app, doctor_arguments);
  RawCheck raw_check;
  const CLI::App* check = add_check(app, raw_check);
  app.add_subcommand("version", "Print the version");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return exit_of(app, error);
  }
  if (analyze->parsed()) return finish(std::move(raw));
  if (serve->parsed()) return finish(std::move(raw_serve));
  if (app.got_subcommand("demo")) return demo_arguments;
  if (doctor->parsed()) {
    if (doctor_arguments.dsn.empty() && doctor_arguments.config_file.empty() &&
        !doctor_arguments.clusters) {
      return Done{
          kExitUsage, "",
          "ectoscope doctor: --config.file or --dsn is required; --clusters lists what runs "
          "here\n"};
    }
    return doctor_arguments;
  }
  if (check->parsed()) return finish(*check, std::move(raw_check));
  return VersionArguments{};
}

}  // namespace ectoscope
