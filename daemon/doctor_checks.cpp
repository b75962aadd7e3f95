#include "daemon/doctor_checks.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

#include "daemon/catalog_reader.h"
#include "daemon/kind_needs.h"
#include "parsers/fidelity.h"

namespace ectoscope {
namespace {

/// "100ms", "1s", "0", "-1" and "5min" in milliseconds; -1 for what is off or not told.
int64_t to_milliseconds(std::string_view shown) {
  int64_t number = -1;
  const auto [unit_at, bad] = std::from_chars(shown.data(), shown.data() + shown.size(), number);
  if (bad != std::errc()) return -1;
  const std::string_view unit = shown.substr(static_cast<size_t>(unit_at - shown.data()));
  if (number < 0) return -1;
  if (unit == "s") return number * 1000;
  if (unit == "min") return number * 60'000;
  if (unit == "h") return number * 3'600'000;
  if (unit == "d") return number * 86'400'000;
  return number;
}

std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += '\'';
    result += c;
  }
  return result + "'";
}

class Examination {
 public:
  Examination(const ServerFacts& server, const LogFacts& log) : server_(server), log_(log) {}

  Diagnosis run() {
    look_at_role();
    look_at_log_file();
    look_at_statements();
    look_at_prefix();
    look_at_plans();
    look_at_messages();
    look_at_counters();
    look_at_hypopg();
    look_at_log_head();
    diagnosis_.kinds = judge_kinds(hidden_);
    for (const SettingChange& change : diagnosis_.changes) {
      diagnosis_.restart = diagnosis_.restart || change.restart;
      diagnosis_.reload =
          diagnosis_.reload ||
          std::any_of(change.sql.begin(), change.sql.end(),
                      [](const std::string& line) { return line.starts_with("ALTER SYSTEM"); });
    }
    return std::move(diagnosis_);
  }

 private:
  void look_at_role();
  void look_at_log_file();
  void look_at_statements();
  void look_at_prefix();
  void look_at_plans();
  void look_at_messages();
  void look_at_counters();
  void look_at_hypopg();
  void look_at_log_head();

  [[nodiscard]] std::string shown(const std::string& key) const {
    return key + " = " + server_.setting(key);
  }
  [[nodiscard]] bool is(const std::string& key, std::string_view value) const {
    return server_.setting(key) == value;
  }
  [[nodiscard]] int64_t milliseconds(const std::string& key) const {
    return to_milliseconds(server_.setting(key));
  }
  void hide(Need need, std::string why) { hidden_.emplace(need, std::move(why)); }
  void change(std::string why, std::vector<std::string> sql, bool restart = false) {
    diagnosis_.changes.push_back({std::move(why), std::move(sql), "", restart});
  }
  void warn(std::string text) { diagnosis_.warnings.push_back(std::move(text)); }
  [[nodiscard]] std::string preload(const std::string& key, const std::string& library) const;

  const ServerFacts& server_;
  const LogFacts& log_;
  Diagnosis diagnosis_;
  HiddenNeeds hidden_;
};

/// These are lists: one string with a comma in it would name one library.
std::string Examination::preload(const std::string& key, const std::string& library) const {
  std::string list;
  const std::string before = server_.setting(key);
  for (size_t at = 0; at < before.size();) {
    const size_t end = std::min(before.find(',', at), before.size());
    std::string one = before.substr(at, end - at);
    std::erase_if(one, [](char c) { return c == ' ' || c == '"'; });
    if (!one.empty()) list += quoted(one) + ", ";
    at = end + 1;
  }
  return "ALTER SYSTEM SET " + key + " = " + list + quoted(library) + ";";
}

void Examination::look_at_role() {
  if (server_.superuser) {
    warn("The role " + server_.role +
         " is a superuser.  Reading needs no such power: deploy/postgresql/role.sql makes a role "
         "that may read and no more.");
  }
  if (!server_.reads_stats || !server_.reads_settings) {
    change("The role " + server_.role + " does not see other roles' statements or all settings.",
           {"GRANT pg_monitor TO " + quote_name(server_.role) + ";"});
  }
  if (!server_.role_shared_with.empty()) {
    std::string names;
    for (const std::string& name : server_.role_shared_with)
      names += (names.empty() ? "" : ", ") + (name.empty() ? std::string("(no name)") : name);
    warn("Others connect as " + server_.role + ", too (" + names +
         ").  What runs as our own role is left out of pg_stat_statements: give ectoscope a role "
         "of its own.");
  }
  if (!server_.encrypted && !server_.local) {
    warn(
        "The connection is not encrypted.  Say sslmode=verify-full and sslrootcert=FILE in the "
        "DSN.");
  }
}

void Examination::look_at_log_file() {
  if (log_.path.empty()) {
    hide(Need::kLog, "no log file is known");
    if (is("logging_collector", "off")) {
      diagnosis_.changes.push_back(
          {"No log file is known: PostgreSQL writes to its standard error.",
           {},
           "Name the file that it goes to (Debian: /var/log/postgresql/postgresql-15-main.log), "
           "or set logging_collector = on and restart.",
           false});
    } else {
      diagnosis_.changes.push_back(
          {"No log file is known.",
           {"GRANT EXECUTE ON FUNCTION pg_catalog.pg_current_logfile() TO " +
            quote_name(server_.role) + ";"},
           "or name it with --log.file or in the configuration",
           false});
    }
  } else if (!log_.problem.empty()) {
    hide(Need::kLog, "the log file cannot be read");
    diagnosis_.changes.push_back({"The log file cannot be read.", {}, log_.problem, false});
  }
}

void Examination::look_at_statements() {
  const int64_t threshold = milliseconds("log_min_duration_statement");
  const bool all = threshold == 0 || is("log_transaction_sample_rate", "1");
  const bool untimed = is("log_statement", "all");
  if (!all) {
    if (!untimed) {
      hide(Need::kStatements, threshold < 0 ? "statements are not logged"
                                            : "statements faster than " +
                                                  server_.setting("log_min_duration_statement") +
                                                  " are not logged");
    }
    if (threshold < 0 || threshold > 100) {
      hide(Need::kSlow, "slow statements are not logged with their duration");
    }
    change(shown("log_min_duration_statement") +
               ": fast statements are not logged, and an N+1 is made of them.",
           {"ALTER SYSTEM SET log_min_duration_statement = 0;"});
  }
  if (!is("log_statement", "none") && all) {
    change(shown("log_statement") +
               ": statements are logged twice, the second time without a duration.",
           {"ALTER SYSTEM SET log_statement = 'none';"});
  }
  if (is("log_parameter_max_length", "0")) {
    hide(Need::kParameters, "parameter values are not logged");
    change(
        "log_parameter_max_length = 0: parameter values are not logged; they tell an N+1 from "
        "the same query run again.",
        {"ALTER SYSTEM SET log_parameter_max_length = 64;"});
  }
  for (const std::string& own : server_.role_settings)
    warn("These sessions have a setting of their own: " + own + ".");
}

void Examination::look_at_prefix() {
  const std::string destination = server_.setting("log_destination");
  const bool structured = destination.find("jsonlog") != std::string::npos ||
                          destination.find("csvlog") != std::string::npos;
  const bool query_ids = is("compute_query_id", "on") ||
                         (is("compute_query_id", "auto") && server_.loads("pg_stat_statements"));
  if (!query_ids && server_.version_number >= 140000) {
    change(shown("compute_query_id") +
               ": records carry no query id, which ties plans to their statements.",
           {"ALTER SYSTEM SET compute_query_id = on;"});
  }
  if (structured) return;
  const std::string prefix = server_.setting("log_line_prefix");
  std::string missing;
  for (const auto& [token, what] :
       std::map<std::string_view, std::string_view>{{"%a", "application"},
                                                    {"%c", "session"},
                                                    {"%d", "database"},
                                                    {"%u", "user"},
                                                    {"%v", "transaction"},
                                                    {"%Q", "query id"}}) {
    if (prefix.find(token) == std::string::npos) {
      missing += (missing.empty() ? "" : ", ") + std::string(what);
    }
  }
  if (prefix.find("%m") == std::string::npos && prefix.find("%n") == std::string::npos) {
    missing += (missing.empty() ? "" : ", ") + std::string("milliseconds");
  }
  if (missing.empty()) return;
  change("log_line_prefix lacks " + missing + ": statements are grouped with less certainty.",
         {"ALTER SYSTEM SET log_line_prefix = '" + std::string(kBestLogLinePrefix) + "';"});
}

void Examination::look_at_plans() {
  const bool loaded = server_.loads("auto_explain");
  const int64_t threshold = milliseconds("auto_explain.log_min_duration");
  const bool off = !loaded || threshold < 0;
  const bool analyze = is("auto_explain.log_analyze", "on");
  // Without log_timing a trigger's time is not taken, and that is all there is to see of it.
  const bool timing = is("auto_explain.log_timing", "on");
  const bool triggers = is("auto_explain.log_triggers", "on");
  if (off) hide(Need::kPlans, loaded ? "auto_explain logs no plan" : "auto_explain is not loaded");
  if (off || !analyze) hide(Need::kActualRows, "plans show estimates only");
  if (off || !analyze || !triggers || !timing) {
    hide(Need::kTriggers, "a missing index under a foreign key's trigger is not seen");
  }
  if (!off && threshold > 1000) {
    warn(shown("auto_explain.log_min_duration") + ": only plans of slower statements are seen.");
  }
  std::vector<std::string> sql;
  if (!loaded) sql.push_back(preload("session_preload_libraries", "auto_explain"));
  if (off) sql.emplace_back("ALTER SYSTEM SET auto_explain.log_min_duration = '100ms';");
  if (off || !is("auto_explain.log_format", "json")) {
    sql.emplace_back("ALTER SYSTEM SET auto_explain.log_format = 'json';");
  }
  if (!analyze) {
    sql.emplace_back("ALTER SYSTEM SET auto_explain.log_analyze = on;");
  }
  if (!timing) sql.emplace_back("ALTER SYSTEM SET auto_explain.log_timing = on;");
  if (!triggers) sql.emplace_back("ALTER SYSTEM SET auto_explain.log_triggers = on;");
  if (sql.empty()) return;
  // ALTER SYSTEM refuses a module's settings in a session that has not loaded it.
  if (!loaded) sql.insert(sql.begin(), "LOAD 'auto_explain';");
  change(off ? "auto_explain logs no plans: wrong and missing indexes show in plans only."
             : "auto_explain's plans show less than they could.",
         std::move(sql));
}

void Examination::look_at_messages() {
  if (is("log_lock_waits", "off")) {
    hide(Need::kLocks, "log_lock_waits is off");
    change("log_lock_waits = off: waits for locks are not logged.",
           {"ALTER SYSTEM SET log_lock_waits = on;"});
  }
  if (is("log_temp_files", "-1")) {
    const bool planned = !hidden_.contains(Need::kPlans) && !hidden_.contains(Need::kActualRows);
    hide(Need::kTemporary, "log_temp_files is off");
    change(planned ? "log_temp_files = -1: spills to disk are seen in slow statements' plans only."
                   : "log_temp_files = -1: sorts and hashes that spill to disk are not logged.",
           {"ALTER SYSTEM SET log_temp_files = 0;"});
  }
  if (is("log_connections", "off")) {
    hide(Need::kConnections, "log_connections is off");
    change("log_connections = off: storms of reconnects are not logged.",
           {"ALTER SYSTEM SET log_connections = on;"});
  }
  for (const char* key : {"log_min_messages", "log_min_error_statement"}) {
    const std::string level = server_.setting(key);
    if (level != "fatal" && level != "panic" && level != "log") continue;
    hide(Need::kErrors, std::string(key) + " leaves errors out");
    change(shown(key) + ": errors, or the statements that they befell, are not logged.",
           {"ALTER SYSTEM SET " + std::string(key) + " = " +
            (key == std::string_view("log_min_messages") ? "warning;" : "error;")});
  }
}

void Examination::look_at_counters() {
  const bool installed = server_.extensions.contains("pg_stat_statements");
  if (server_.statements_work && server_.statements_hidden == 0 && server_.reads_stats) return;
  if (installed && server_.statements_work) {
    hide(Need::kCounters, "pg_stat_statements hides other roles' statements");  // GRANT: see role
    return;
  }
  hide(Need::kCounters,
       installed ? "pg_stat_statements is not loaded" : "pg_stat_statements is not installed");
  std::vector<std::string> sql;
  const bool loaded = server_.loads("pg_stat_statements");
  if (!loaded) sql.push_back(preload("shared_preload_libraries", "pg_stat_statements"));
  if (!installed) sql.emplace_back("CREATE EXTENSION pg_stat_statements;");
  change("pg_stat_statements does not answer in database " + server_.database +
             ": it counts what the log does not show.",
         std::move(sql), !loaded);
}

void Examination::look_at_hypopg() {
  if (!server_.extensions.contains("hypopg")) {
    const std::string major = std::to_string(server_.version_number / 10000);
    warn("HypoPG is not installed: advised indexes are not checked by the planner.  " +
         (server_.available.contains("hypopg")
              ? std::string("CREATE EXTENSION hypopg;")
              : "apt-get install postgresql-" + major + "-hypopg, then CREATE EXTENSION hypopg;"));
    return;
  }
  if (server_.loads("auto_explain") && !server_.quiets_auto_explain) {
    warn("HypoPG cannot be used beside auto_explain unless the role may silence it: " +
         (server_.version_number >= 150000
              ? "GRANT SET ON PARAMETER auto_explain.log_min_duration TO " +
                    quote_name(server_.role) + ";"
              : std::string("that takes PostgreSQL 15.")));
  }
  if (server_.tables_unreadable > 0) {
    warn("The role may not SELECT from " + std::to_string(server_.tables_unreadable) + " of " +
         std::to_string(server_.tables) +
         " tables: advised indexes on them are not checked by the planner.  GRANT SELECT ON ALL "
         "TABLES IN SCHEMA public TO " +
         quote_name(server_.role) + "; (EXPLAIN asks for it; no row is read.)");
  }
}

void Examination::look_at_log_head() {
  if (log_.path.empty() || !log_.problem.empty()) return;
  if (log_.records == 0) {
    warn("The log file has no record yet, or none that was understood.");
    return;
  }
  if (log_.statements == 0) return;
  if (log_.fidelity.statements != InputFidelity::Statements::kAll &&
      !hidden_.contains(Need::kStatements)) {
    warn(
        "The head of the log does not show all statements: it was written with other settings, "
        "or a role or database has its own.");
  }
  if (log_.fidelity.trace_ids == InputFidelity::TraceIds::kNone) {
    warn(
        "Statements carry no trace id.  Requests are told apart by how their statements follow "
        "each other; opentelemetry_sqlcommenter or sqlcommenter makes it certain.");
  }
  if (log_.fidelity.trace_ids == InputFidelity::TraceIds::kStale) {
    warn(
        "Statements carry the trace id of the request that prepared them: set prepare: :unnamed "
        "in the repository's configuration.");
  }
}

}  // namespace

bool Diagnosis::hides() const {
  return std::any_of(kinds.begin(), kinds.end(), [](const KindVisibility& kind) {
    return kind.seen != KindVisibility::Seen::kYes;
  });
}

Diagnosis diagnose(const ServerFacts& server, const LogFacts& log) {
  return Examination(server, log).run();
}

}  // namespace ectoscope
