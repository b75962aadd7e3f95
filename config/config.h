// The configuration: a value that can't exist unvalidated.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "core/http_poster.h"
#include "core/ignore_rule.h"
#include "core/options.h"
#include "core/owner_rule.h"
#include "core/result.h"
#include "core/time.h"

namespace ectoscope {

/// What a detector may be told, as its registry entry has it.
struct DetectorSettings {
  std::string_view name;   // its key under `detectors:`
  std::string_view title;  // a heading in the example file
  std::span<const OptionSpec> options;
};

/// All settings that exist outside this folder.  The caller owns what the views point at; it
/// must outlive the call that it's given to.
struct SettingsTables {
  std::span<const OptionSpec> grouping;
  std::vector<DetectorSettings> detectors;
};

struct InputConfig {
  std::string format =
      "auto";  // auto, stderr, csvlog, jsonlog, cnpg, cloudsql, rds, syslog, journald
  std::string log_line_prefix;              // as in postgresql.conf; empty: found from the records
  std::string timezone;                     // what stamps without a known zone mean; empty: UTC
  std::vector<std::string> tenant_schemas;  // globs: each schema is one tenant's
  size_t max_record_bytes = 0;

  bool operator==(const InputConfig&) const = default;
};

/// The connection to a server.
struct PostgresConfig {
  std::string dsn;  // a secret: it may hold a password; empty: there is no connection
  bool statements = true;
  Micros poll_interval{0};
  size_t max_statements = 0;
  bool hypopg = true;
  Micros connect_timeout{0};
  Micros statement_timeout{0};
  Micros lock_timeout{0};

  bool operator==(const PostgresConfig&) const = default;
};

/// With its default for each setting, and no DSN.
PostgresConfig default_postgres();

/// A PostgreSQL server that `serve` watches.
struct ServerConfig {
  std::string name;
  std::vector<std::string> logs;  // paths or patterns; each is one log with its rotations; or "-"
  bool from_end = true;           // a log without a checkpoint is read from its end on
  InputConfig input;
  std::vector<std::string> databases;  // empty: all
  PostgresConfig postgres;

  [[nodiscard]] bool reads_standard_input() const {
    return std::find(logs.begin(), logs.end(), "-") != logs.end();
  }
  bool operator==(const ServerConfig&) const = default;
};

struct StateConfig {
  std::string directory;
  Micros keep{0};  // what was resolved, or not seen, for so long is forgotten
};

/// Who is told of findings, and of which.
struct AlertingConfig {
  std::vector<HttpTarget> alertmanagers;  // all of them; none: nothing is pushed
  Severity min_severity = Severity::kWarning;
  std::vector<std::string> critical;  // kinds whose critical findings page
  std::map<std::string, std::string> external_labels;
  Micros resend_interval{0};
  size_t queue = 0;  // alerts that wait for one Alertmanager
};

struct LimitsConfig {
  size_t shapes = 0;    // distinct statements that are told apart
  size_t routes = 0;    // distinct routes, controllers and jobs
  size_t streams = 0;   // distinct combinations of database, user, application and host
  size_t findings = 0;  // distinct problems
  size_t max_statement_bytes = 0;

  bool operator==(const LimitsConfig&) const = default;
};

struct DetectorConfig {
  std::string name;
  bool enabled = true;
  Options options;
};

/// Whose traffic an override is for: globs, empty fits all.
struct OverrideMatch {
  std::string application;
  std::string database;
  std::string user;
  std::string route;
  std::string tag;  // the comment's key that named the route: "job", "controller"
};

struct OverrideConfig {
  OverrideMatch match;
  std::vector<DetectorConfig> detectors;  // all, in the order of the tables
};

/// The kind of what `analyze --scale` finds: no detector's, but ignored and listed like theirs.
inline constexpr std::string_view kScaleKind = "grows_with_data";

/// Made by defaults() or parse_config() only; a plain value from then on.
class Config {
 public:
  /// What an empty file means.
  static Config defaults(const SettingsTables& tables);

  /// The source's name in reports and in the ids of findings.
  [[nodiscard]] const std::string& server() const { return server_; }
  [[nodiscard]] const InputConfig& input() const { return input_; }
  /// In the order of the file; empty when it names none.
  [[nodiscard]] const std::vector<ServerConfig>& servers() const { return servers_; }
  [[nodiscard]] const StateConfig& state() const { return state_; }
  [[nodiscard]] const std::string& listen_address() const { return listen_address_; }
  /// With {trace_id} in it; empty: there is nowhere to see a trace.
  [[nodiscard]] const std::string& trace_url() const { return trace_url_; }
  /// Where people reach the pages, without '/' at its end; empty: where we listen.
  [[nodiscard]] const std::string& external_url() const { return external_url_; }
  [[nodiscard]] size_t series_budget() const { return series_budget_; }
  /// What is older is not news: it alerts nobody.
  [[nodiscard]] Micros max_event_age() const { return max_event_age_; }
  [[nodiscard]] const LimitsConfig& limits() const { return limits_; }
  [[nodiscard]] const Options& grouping() const { return grouping_; }
  /// In the order of the tables, also those that are not enabled.
  [[nodiscard]] const std::vector<DetectorConfig>& detectors() const { return detectors_; }
  /// The first that fits decides.
  [[nodiscard]] const std::vector<OverrideConfig>& overrides() const { return overrides_; }
  [[nodiscard]] const std::vector<IgnoreRule>& ignore() const { return ignore_; }
  /// The first that fits decides.
  [[nodiscard]] const std::vector<OwnerRule>& owners() const { return owners_; }
  [[nodiscard]] const AlertingConfig& alerting() const { return alerting_; }

 private:
  friend class ConfigLoader;

  explicit Config(const SettingsTables& tables);

  std::string server_;
  InputConfig input_;
  std::vector<ServerConfig> servers_;
  StateConfig state_;
  std::string listen_address_;
  std::string trace_url_;
  std::string external_url_;
  size_t series_budget_ = 0;
  Micros max_event_age_{0};
  LimitsConfig limits_;
  Options grouping_;
  std::vector<DetectorConfig> detectors_;
  std::vector<OverrideConfig> overrides_;
  std::vector<IgnoreRule> ignore_;
  std::vector<OwnerRule> owners_;
  AlertingConfig alerting_;
};

/// Where values come from that don't stand in the file itself.  Either may be empty: there is none.
struct ConfigSources {
  std::function<std::optional<std::string>(const std::string& name)> environment;  // ${NAME}
  std::function<Result<std::string>(const std::string& path)> file;                // KEY_file: path
};

/// Reads YAML.  `name` is the file's, for messages.  The error holds every problem, a line each
/// (`file:line:column: key: what is wrong`), and how many there are.
Result<Config> parse_config(std::string_view text, const std::string& name,
                            const SettingsTables& tables, const ConfigSources& sources = {});

/// The same check for one value given on the command line as `--KEY=value`: empty when it is
/// good, else what is wrong with it.
std::string problem_with(std::string_view key, std::string_view value);

/// The example file: every setting with its meaning, default, unit and bounds.
std::string render_example(const SettingsTables& tables);

}  // namespace ectoscope
