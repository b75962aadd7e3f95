#include "daemon/doctor_checks.h"

#include <gmock/gmock.h>

namespace ectoscope {
namespace {

using ::testing::HasSubstr;
using Seen = KindVisibility::Seen;

/// A server that shows all there is.
ServerFacts healthy() {
  ServerFacts facts;
  facts.name = "ectoscope@db:5432/shop";
  facts.version = "15.20";
  facts.version_number = 150020;
  facts.role = "ectoscope";
  facts.database = "shop";
  facts.reads_stats = true;
  facts.reads_settings = true;
  facts.local = true;
  facts.settings = {{"log_destination", "jsonlog"},
                    {"logging_collector", "on"},
                    {"log_min_duration_statement", "0"},
                    {"log_transaction_sample_rate", "0"},
                    {"log_statement", "none"},
                    {"log_parameter_max_length", "64B"},
                    {"compute_query_id", "on"},
                    {"log_lock_waits", "on"},
                    {"log_temp_files", "0"},
                    {"log_connections", "on"},
                    {"log_min_messages", "warning"},
                    {"log_min_error_statement", "error"},
                    {"shared_preload_libraries", "pg_stat_statements, auto_explain"},
                    {"auto_explain.log_min_duration", "100ms"},
                    {"auto_explain.log_analyze", "on"},
                    {"auto_explain.log_triggers", "on"},
                    {"auto_explain.log_timing", "on"},
                    {"auto_explain.log_format", "json"}};
  facts.extensions = {{"pg_stat_statements", "1.10"}, {"hypopg", "1.3.1"}};
  facts.statements_work = true;
  facts.quiets_auto_explain = true;
  return facts;
}

LogFacts readable() {
  LogFacts log;
  log.path = "/var/log/postgresql/db.json";
  log.records = 10;
  log.statements = 5;
  log.fidelity.statements = InputFidelity::Statements::kAll;
  log.fidelity.trace_ids = InputFidelity::TraceIds::kAll;
  return log;
}

Seen seen(const Diagnosis& diagnosis, const std::string& kind) {
  for (const KindVisibility& it : diagnosis.kinds) {
    if (it.kind == kind) return it.seen;
  }
  ADD_FAILURE() << "no kind " << kind;
  return Seen::kNo;
}

std::string all_sql(const Diagnosis& diagnosis) {
  std::string sql;
  for (const SettingChange& change : diagnosis.changes) {
    for (const std::string& line : change.sql)
      sql += line + "\n";
  }
  return sql;
}

std::string all_warnings(const Diagnosis& diagnosis) {
  std::string text;
  for (const std::string& warning : diagnosis.warnings)
    text += warning + "\n";
  return text;
}

TEST(Doctor, HealthyServerHidesNothing) {
  const Diagnosis diagnosis = diagnose(healthy(), readable());
  EXPECT_FALSE(diagnosis.hides());
  EXPECT_EQ(all_sql(diagnosis), "");
  EXPECT_EQ(all_warnings(diagnosis), "");
  EXPECT_FALSE(diagnosis.reload);
  EXPECT_FALSE(diagnosis.restart);
}

TEST(Doctor, EachSettingHidesItsKindsAndHasItsLine) {
  const struct {
    const char* key;
    const char* value;
    const char* kind;
    Seen seen;
    const char* sql;
  } cases[] = {
      {"log_min_duration_statement", "-1", "n_plus_one_write", Seen::kNo,
       "ALTER SYSTEM SET log_min_duration_statement = 0;"},
      {"log_min_duration_statement", "100ms", "n_plus_one_read", Seen::kPartly,
       "ALTER SYSTEM SET log_min_duration_statement = 0;"},
      {"log_min_duration_statement", "100ms", "slow_query", Seen::kYes, "= 0;"},
      {"log_min_duration_statement", "2s", "slow_query", Seen::kPartly, "= 0;"},
      {"log_parameter_max_length", "0", "redundant_query", Seen::kNo,
       "ALTER SYSTEM SET log_parameter_max_length = 64;"},
      {"log_parameter_max_length", "0", "n_plus_one_read", Seen::kPartly, "= 64;"},
      {"log_lock_waits", "off", "lock_wait", Seen::kNo, "ALTER SYSTEM SET log_lock_waits = on;"},
      {"log_temp_files", "-1", "disk_spill", Seen::kPartly, "ALTER SYSTEM SET log_temp_files = 0;"},
      {"log_connections", "off", "connection_churn", Seen::kNo,
       "ALTER SYSTEM SET log_connections = on;"},
      {"log_min_messages", "fatal", "deadlock", Seen::kNo,
       "ALTER SYSTEM SET log_min_messages = warning;"},
      {"log_min_error_statement", "panic", "constraint_violation", Seen::kNo,
       "ALTER SYSTEM SET log_min_error_statement = error;"},
      {"auto_explain.log_min_duration", "-1", "wrong_index", Seen::kNo,
       "ALTER SYSTEM SET auto_explain.log_min_duration = '100ms';"},
      {"auto_explain.log_min_duration", "-1", "over_fetch", Seen::kPartly, "'100ms';"},
      {"auto_explain.log_analyze", "off", "stale_statistics", Seen::kNo,
       "ALTER SYSTEM SET auto_explain.log_analyze = on;"},
      {"auto_explain.log_analyze", "off", "deep_offset", Seen::kYes, "log_analyze = on;"},
      {"auto_explain.log_triggers", "off", "missing_index", Seen::kPartly,
       "ALTER SYSTEM SET auto_explain.log_triggers = on;"},
  };
  for (const auto& it : cases) {
    ServerFacts facts = healthy();
    facts.settings[it.key] = it.value;
    const Diagnosis diagnosis = diagnose(facts, readable());
    EXPECT_EQ(seen(diagnosis, it.kind), it.seen) << it.key << " = " << it.value << ", " << it.kind;
    EXPECT_THAT(all_sql(diagnosis), HasSubstr(it.sql)) << it.key;
    EXPECT_TRUE(diagnosis.reload) << it.key;
    EXPECT_FALSE(diagnosis.restart) << it.key;
    EXPECT_TRUE(diagnosis.hides());
  }
}

TEST(Doctor, SpillsShowInPlansWhereTheirFilesAreNotLogged) {
  const auto spills = [](const ServerFacts& facts, const LogFacts& log) {
    const Diagnosis diagnosis = diagnose(facts, log);
    const auto found =
        std::find_if(diagnosis.kinds.begin(), diagnosis.kinds.end(),
                     [](const KindVisibility& it) { return it.kind == "disk_spill"; });
    return *found;
  };
  ServerFacts facts = healthy();
  facts.settings["log_temp_files"] = "-1";
  EXPECT_EQ(spills(facts, readable()).why,
            "log_temp_files is off; by the plans of slow statements");
  EXPECT_EQ(spills(facts, readable()).seen, Seen::kPartly);
  LogFacts unread = readable();
  unread.problem = "permission denied";
  EXPECT_EQ(spills(facts, unread).seen, Seen::kNo);
  facts.settings["auto_explain.log_analyze"] = "off";
  EXPECT_EQ(spills(facts, readable()).seen, Seen::kNo);
  EXPECT_EQ(spills(facts, readable()).why, "log_temp_files is off");
}

TEST(Doctor, LibrariesAreAddedToThoseThatAreLoaded) {
  ServerFacts facts = healthy();
  facts.settings["shared_preload_libraries"] = "timescaledb, \"pg cron\"";
  facts.statements_work = false;
  facts.extensions.erase("pg_stat_statements");
  const Diagnosis diagnosis = diagnose(facts, readable());
  EXPECT_THAT(all_sql(diagnosis),
              HasSubstr("ALTER SYSTEM SET shared_preload_libraries = 'timescaledb', 'pgcron', "
                        "'pg_stat_statements';\nCREATE EXTENSION pg_stat_statements;"));
  EXPECT_THAT(all_sql(diagnosis),
              HasSubstr("LOAD 'auto_explain';\nALTER SYSTEM SET session_preload_libraries = "
                        "'auto_explain';"));
  EXPECT_TRUE(diagnosis.restart);
  EXPECT_EQ(seen(diagnosis, "query_regression"), Seen::kNo);
}

TEST(Doctor, LibrariesAreKnownByTheirWholeName) {
  ServerFacts facts;
  const struct {
    const char* value;
    bool loads;
  } cases[] = {
      {"auto_explain", true},
      {"a,auto_explain", true},
      {"\"auto_explain\", b", true},
      {"$libdir/auto_explain", true},
      {"", false},
      {"auto_explainer", false},
      {"my_auto_explain, x", false},
  };
  for (const auto& it : cases) {
    facts.settings["session_preload_libraries"] = it.value;
    EXPECT_EQ(facts.loads("auto_explain"), it.loads) << it.value;
  }
}

TEST(Doctor, LogThatCannotBeReadHidesWhatComesFromIt) {
  LogFacts log = readable();
  log.problem = "/var/log/x: permission denied; be a member of adm";
  const Diagnosis diagnosis = diagnose(healthy(), log);
  EXPECT_EQ(seen(diagnosis, "wrong_index"), Seen::kNo);
  EXPECT_EQ(seen(diagnosis, "slow_query"), Seen::kPartly);
  EXPECT_EQ(seen(diagnosis, "query_regression"), Seen::kYes);
  ASSERT_EQ(diagnosis.changes.size(), 1U);
  EXPECT_EQ(diagnosis.changes[0].by_hand, log.problem);
}

TEST(Doctor, PrefixMattersToStderrOnly) {
  ServerFacts facts = healthy();
  facts.settings["log_line_prefix"] = "%t [%p] ";
  EXPECT_EQ(all_sql(diagnose(facts, readable())), "");
  facts.settings["log_destination"] = "stderr";
  const Diagnosis diagnosis = diagnose(facts, readable());
  EXPECT_THAT(diagnosis.changes.at(0).why,
              "log_line_prefix lacks query id, application, session, database, user, transaction, "
              "milliseconds: statements are grouped with less certainty.");
  facts.settings["log_line_prefix"] =
      "%m [%p] %q%u@%d app=%a client=%r vx=%v sess=%c line=%l q=%Q ";
  EXPECT_EQ(all_sql(diagnose(facts, readable())), "");
}

TEST(Doctor, RoleIsJudged) {
  ServerFacts facts = healthy();
  facts.superuser = true;
  EXPECT_THAT(all_warnings(diagnose(facts, readable())), HasSubstr("is a superuser"));
  facts = healthy();
  facts.role = "odd\"name";
  facts.reads_stats = false;
  const Diagnosis diagnosis = diagnose(facts, readable());
  EXPECT_THAT(all_sql(diagnosis), HasSubstr("GRANT pg_monitor TO \"odd\"\"name\";"));
  EXPECT_EQ(seen(diagnosis, "query_regression"), Seen::kNo);
  facts = healthy();
  facts.role_shared_with = {"shop"};
  EXPECT_THAT(all_warnings(diagnose(facts, readable())), HasSubstr("a role of its own"));
}

TEST(Doctor, HypopgsTrapsAreTold) {
  ServerFacts facts = healthy();
  facts.quiets_auto_explain = false;
  EXPECT_THAT(all_warnings(diagnose(facts, readable())),
              HasSubstr("GRANT SET ON PARAMETER auto_explain.log_min_duration TO \"ectoscope\";"));
  facts = healthy();
  facts.tables = 9;
  facts.tables_unreadable = 2;
  EXPECT_THAT(all_warnings(diagnose(facts, readable())), HasSubstr("2 of 9 tables"));
  facts = healthy();
  facts.extensions.erase("hypopg");
  EXPECT_THAT(all_warnings(diagnose(facts, readable())),
              HasSubstr("apt-get install postgresql-15-hypopg"));
  EXPECT_FALSE(diagnose(facts, readable()).hides());
}

TEST(Doctor, KindsAreInOrderAndEachOnce) {
  const Diagnosis diagnosis = diagnose(healthy(), readable());
  for (size_t i = 1; i < diagnosis.kinds.size(); ++i)
    EXPECT_LT(diagnosis.kinds[i - 1].kind, diagnosis.kinds[i].kind);
  EXPECT_EQ(diagnosis.kinds.size(), 24U);
}

}  // namespace
}  // namespace ectoscope
