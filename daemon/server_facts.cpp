#include "daemon/server_facts.h"

#include <charconv>
#include <string_view>

namespace ectoscope {
namespace {

constexpr std::string_view kIdentity =
    "SELECT current_setting('server_version'), current_setting('server_version_num'),"
    " current_user, current_database(), r.rolsuper,"
    " pg_has_role(r.oid, 'pg_read_all_stats', 'USAGE'),"
    " pg_has_role(r.oid, 'pg_read_all_settings', 'USAGE'),"
    " coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),"
    " coalesce(inet_server_addr() << '127.0.0.0/8' OR inet_server_addr() = '::1', true),"
    " pg_is_in_recovery()"
    " FROM pg_roles r WHERE r.rolname = current_user";

constexpr std::string_view kSettings =
    "SELECT name, current_setting(name), pending_restart FROM pg_settings"
    " WHERE name IN ('log_destination', 'logging_collector', 'log_directory', 'data_directory',"
    " 'log_line_prefix', 'log_min_duration_statement', 'log_min_duration_sample',"
    " 'log_statement_sample_rate', 'log_transaction_sample_rate', 'log_statement', 'log_duration',"
    " 'log_parameter_max_length', 'compute_query_id', 'log_lock_waits', 'log_temp_files',"
    " 'log_connections', 'log_min_messages', 'log_min_error_statement', 'log_file_mode',"
    " 'shared_preload_libraries', 'session_preload_libraries', 'pg_stat_statements.max',"
    " 'pg_stat_statements.track')";

// Those of a module that this session has not loaded are not in pg_settings.
constexpr std::string_view kModuleSettings =
    "SELECT name, current_setting(name, true) FROM unnest(ARRAY['auto_explain.log_min_duration',"
    " 'auto_explain.log_analyze', 'auto_explain.log_triggers', 'auto_explain.log_format',"
    " 'auto_explain.log_timing', 'auto_explain.sample_rate']) AS name";

constexpr std::string_view kRoleSettings =
    "SELECT coalesce('database ' || d.datname, '')"
    " || CASE WHEN d.oid IS NULL OR r.oid IS NULL THEN '' ELSE ', ' END"
    " || coalesce('role ' || r.rolname, ''), s.setting"
    " FROM pg_db_role_setting c LEFT JOIN pg_database d ON d.oid = c.setdatabase"
    " LEFT JOIN pg_roles r ON r.oid = c.setrole, unnest(c.setconfig) AS s (setting)"
    " WHERE s.setting ~ '^(log_|auto_explain\\.|session_preload|compute_query_id)'"
    " ORDER BY 1, 2";

constexpr std::string_view kTables =
    "SELECT count(*), count(*) FILTER (WHERE NOT has_table_privilege(c.oid, 'SELECT'))"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

constexpr std::string_view kSharedWith =
    "SELECT DISTINCT application_name FROM pg_stat_activity WHERE usename = current_user"
    " AND backend_type = 'client backend' AND application_name <> 'ectoscope'"
    " AND pid <> pg_backend_pid() ORDER BY 1 LIMIT 10";

std::string text_of(const std::optional<std::string_view>& field) {
  return std::string(field.value_or(""));
}

bool true_in(const std::optional<std::string_view>& field) {
  return field && *field == "t";
}

uint64_t count_in(const std::optional<std::string_view>& field) {
  uint64_t number = 0;
  if (field) std::from_chars(field->data(), field->data() + field->size(), number);
  return number;
}

/// Asks one thing in a transaction of its own: a question that is refused leaves the others alone.
std::optional<DatabaseError> ask(Database& database, std::string_view sql,
                                 const DatabaseRowHandler& on_row) {
  Database::Begun begun = database.begin();
  if (!begun.transaction) return begun.error;
  auto error = begun.transaction->run(sql, {}, on_row);
  if (error && (error->reason == DatabaseError::Reason::kLost ||
                error->reason == DatabaseError::Reason::kTimeout)) {
    return error;
  }
  return std::nullopt;
}

void read_identity(DatabaseRow row, ServerFacts& facts) {
  facts.version = text_of(row[0]);
  facts.version_number = static_cast<int>(count_in(row[1]));
  facts.role = text_of(row[2]);
  facts.database = text_of(row[3]);
  facts.superuser = true_in(row[4]);
  facts.reads_stats = true_in(row[5]);
  facts.reads_settings = true_in(row[6]);
  facts.encrypted = true_in(row[7]);
  facts.local = true_in(row[8]);
  facts.in_recovery = true_in(row[9]);
}

std::optional<DatabaseError> read_settings(Database& database, ServerFacts& facts) {
  auto error = ask(database, kSettings, [&facts](DatabaseRow row) {
    facts.settings[text_of(row[0])] = text_of(row[1]);
    if (true_in(row[2])) facts.pending_restart.insert(text_of(row[0]));
  });
  if (error) return error;
  error = ask(database, kModuleSettings, [&facts](DatabaseRow row) {
    if (row[1]) facts.settings[text_of(row[0])] = text_of(row[1]);
  });
  if (error) return error;
  return ask(database, kRoleSettings, [&facts](DatabaseRow row) {
    facts.role_settings.push_back(text_of(row[0]) + ": " + text_of(row[1]));
  });
}

std::optional<DatabaseError> read_extensions(Database& database, ServerFacts& facts) {
  std::string schema;
  auto error = ask(database,
                   "SELECT e.extname, e.extversion, quote_ident(n.nspname) FROM pg_extension e"
                   " JOIN pg_namespace n ON n.oid = e.extnamespace"
                   " WHERE e.extname IN ('pg_stat_statements', 'hypopg')",
                   [&](DatabaseRow row) {
                     facts.extensions[text_of(row[0])] = text_of(row[1]);
                     if (row[0] == "pg_stat_statements") schema = text_of(row[2]);
                   });
  if (error) return error;
  error = ask(database,
              "SELECT name FROM pg_available_extensions"
              " WHERE name IN ('pg_stat_statements', 'hypopg')",
              [&facts](DatabaseRow row) { facts.available.insert(text_of(row[0])); });
  if (error || schema.empty()) return error;
  return ask(database,
             "SELECT count(*), count(*) FILTER (WHERE queryid IS NULL) FROM " + schema +
                 ".pg_stat_statements(false)",
             [&facts](DatabaseRow row) {
               facts.statements_work = true;
               facts.statements = count_in(row[0]);
               facts.statements_hidden = count_in(row[1]);
             });
}

std::optional<DatabaseError> read_privileges(Database& database, ServerFacts& facts) {
  facts.quiets_auto_explain = facts.superuser;
  if (!facts.superuser && facts.version_number >= 150000) {
    auto error =
        ask(database, "SELECT has_parameter_privilege('auto_explain.log_min_duration', 'SET')",
            [&facts](DatabaseRow row) { facts.quiets_auto_explain = true_in(row[0]); });
    if (error) return error;
  }
  auto error = ask(database, kTables, [&facts](DatabaseRow row) {
    facts.tables = count_in(row[0]);
    facts.tables_unreadable = count_in(row[1]);
  });
  if (error) return error;
  return ask(database, kSharedWith,
             [&facts](DatabaseRow row) { facts.role_shared_with.push_back(text_of(row[0])); });
}

}  // namespace

bool ServerFacts::loads(std::string_view library) const {
  for (const char* key : {"shared_preload_libraries", "session_preload_libraries"}) {
    const std::string libraries = setting(key);
    for (size_t at = 0; (at = libraries.find(library, at)) != std::string::npos; ++at) {
      const size_t end = at + library.size();
      const auto apart = [&libraries](size_t i) {
        return libraries[i] == ',' || libraries[i] == ' ' || libraries[i] == '"' ||
               libraries[i] == '/';
      };
      if ((at == 0 || apart(at - 1)) && (end == libraries.size() || apart(end))) return true;
    }
  }
  return false;
}

std::variant<ServerFacts, DatabaseError> read_server_facts(Database& database) {
  ServerFacts facts;
  facts.name = database.name();
  Database::Begun begun = database.begin();
  if (!begun.transaction) return begun.error;
  if (auto error = begun.transaction->run(
          kIdentity, {}, [&facts](DatabaseRow row) { read_identity(row, facts); })) {
    return *error;
  }
  begun.transaction.reset();
  for (const auto read : {&read_settings, &read_extensions, &read_privileges}) {
    if (auto error = read(database, facts)) return *error;
  }
  std::string log_file;
  if (auto error = ask(database, "SELECT pg_current_logfile()",
                       [&log_file](DatabaseRow row) { log_file = text_of(row[0]); })) {
    return *error;
  }
  if (!log_file.empty() && log_file[0] != '/') {
    log_file = facts.setting("data_directory") + "/" + log_file;
  }
  facts.log_file = log_file;
  return facts;
}

}  // namespace ectoscope
