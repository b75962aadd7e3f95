#include <gtest/gtest.h>

#include "execution_fixture.h"
#include "parsers/incident_messages.h"

namespace ectoscope {
namespace {

using Kind = IncidentKind;

TEST(IncidentMessages, ErrorsByWordsOrSqlstate) {
  const struct {
    const char* sqlstate;
    const char* message;
    Kind kind;
    const char* names;  // table|constraint|columns
  } cases[] = {
      {"", "deadlock detected", Kind::kDeadlock, "||"},
      {"40P01", "Verklemmung (Deadlock) entdeckt", Kind::kDeadlock, "||"},
      {"", "Verklemmung (Deadlock) entdeckt", Kind::kDeadlock, "||"},
      {"40P01", "ერთობლივი ჩიხი", Kind::kDeadlock, "||"},
      {"", "could not serialize access due to concurrent update", Kind::kSerializationFailure,
       "||"},
      {"40001", "canceling statement due to conflict with recovery", Kind::kSerializationFailure,
       "||"},
      {"", "canceling statement due to statement timeout", Kind::kStatementTimeout, "||"},
      {"57014", "canceling statement due to user request", Kind::kClientCancel, "||"},
      {"57014", "storniere Anfrage wegen Benutzeraufforderung", Kind::kClientCancel, "||"},
      {"57014", "storniere Anfrage wegen Zeitüberschreitung der Anfrage", Kind::kStatementTimeout,
       "||"},
      {"57014", "annulation de la requête", Kind::kStatementTimeout, "||"},
      {"", "canceling statement due to lock timeout", Kind::kLockTimeout, "||"},
      {"25P03", "terminating connection due to idle-in-transaction timeout", Kind::kIdleTimeout,
       "||"},
      {"25P04", "terminating connection due to transaction timeout", Kind::kTransactionTimeout,
       "||"},
      {"", "sorry, too many clients already", Kind::kNoSlots, "||"},
      {"53300", "remaining connection slots are reserved for roles with the SUPERUSER attribute",
       Kind::kNoSlots, "||"},
      {"", "too many connections for role \"limited\"", Kind::kNoSlots, "||"},
      {"", "duplicate key value violates unique constraint \"users_email_index\"",
       Kind::kUniqueViolation, "|users_email_index|"},
      {"23505", "doppelter Schlüsselwert verletzt Unique-Constraint »users_email_index«",
       Kind::kUniqueViolation, "|users_email_index|"},
      {"23505", "la valeur d'une clé dupliquée rompt la contrainte « users_email_index »",
       Kind::kUniqueViolation, "||"},
      {"",
       "insert or update on table \"posts\" violates foreign key constraint \"posts_user_fkey\"",
       Kind::kForeignKeyViolation, "posts|posts_user_fkey|"},
      {"23503",
       "update or delete on table \"users\" violates foreign key constraint \"posts_user_fkey\" on "
       "table \"posts\"",
       Kind::kForeignKeyViolation, "users|posts_user_fkey|"},
      {"23502", "null value in column \"name\" of relation \"users\" violates not-null constraint",
       Kind::kNotNullViolation, "users||name"},
      {"23502", "NULL-Wert in Spalte »name« von Relation »users« verletzt Not-Null-Constraint",
       Kind::kNotNullViolation, "users||name"},
      {"23514", "new row for relation \"orders\" violates check constraint \"positive\"",
       Kind::kCheckViolation, "orders|positive|"},
      {"23P01", "conflicting key value violates exclusion constraint \"no_overlap\"",
       Kind::kExclusionViolation, "|no_overlap|"},
      {"23505", "order \"s3cret\" exists", Kind::kUniqueViolation, "||"},  // raised by a function
      {"23001", "anything", Kind::kOtherViolation, "||"},
  };
  for (const auto& one : cases) {
    const auto read = read_error(one.sqlstate, one.message);
    ASSERT_TRUE(read) << one.message;
    EXPECT_EQ(read->kind, one.kind) << one.message;
    EXPECT_EQ(std::string(read->table) + "|" + std::string(read->constraint) + "|" +
                  std::string(read->columns),
              one.names)
        << one.message;
  }
}

TEST(IncidentMessages, OtherErrorsAreNone) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "syntax error at or near \"SELEC\""},
      {"42601", "deadlock detected"},
      {"22P02", "invalid input syntax for type integer: \"x\""},
      {"55P03", "could not obtain lock on row in relation \"jobs\""},
      {"57014", "canceling autovacuum task"},
      {"", "relation \"deadlock detected\" does not exist"},
  };
  for (const auto& [sqlstate, message] : cases)
    EXPECT_FALSE(read_error(sqlstate, message)) << message;
}

TEST(IncidentMessages, Notices) {
  const struct {
    const char* message;
    Kind kind;
    int64_t waited;
    const char* words;  // mode|user|database|application|bytes
  } cases[] = {
      {"process 822 still waiting for ShareLock on transaction 905 after 200.162 ms",
       Kind::kLockWait, 200'162, "ShareLock||||0"},
      {"Prozess 822 wartet immer noch auf ShareLock-Sperre auf Transaktion 905 nach 200,162 ms",
       Kind::kLockWait, 200'162, "ShareLock||||0"},
      {"process 8 acquired ExclusiveLock on tuple (6,66) of relation 1 of database 2 after 5.000 "
       "ms",
       Kind::kLockAcquired, 5'000, "ExclusiveLock||||0"},
      {"connection authorized: user=web database=shop application_name=shop web SSL enabled (x)",
       Kind::kConnected, 0, "|web|shop|shop web|0"},
      {"connection authorized: user=web database=shop", Kind::kConnected, 0, "|web|shop||0"},
      {"Verbindung autorisiert: Benutzer=web Datenbank=shop Anwendungsname=app", Kind::kConnected,
       0, "|web|shop|app|0"},
      {"disconnection: session time: 0:00:05.123 user=web database=shop", Kind::kDisconnected, 0,
       "||||0"},
      {"temporary file: path \"base/pgsql_tmp/pgsql_tmp1.0\", size 40951808", Kind::kTempFile, 0,
       "||||40951808"},
  };
  for (const auto& one : cases) {
    const auto read = read_notice(one.message);
    ASSERT_TRUE(read) << one.message;
    EXPECT_EQ(read->kind, one.kind) << one.message;
    EXPECT_EQ(read->waited.count(), one.waited) << one.message;
    std::string words;
    for (const std::string_view word :
         {read->lock_mode, read->user, read->database, read->application})
      words += std::string(word) + "|";
    EXPECT_EQ(words + std::to_string(read->bytes), one.words) << one.message;
  }
  EXPECT_FALSE(read_notice("process 8 detected deadlock while waiting for ShareLock"));
  EXPECT_FALSE(read_notice("checkpoint complete: wrote 5 buffers"));
}

TEST(IncidentMessages, ADurationInUnknownWords) {
  EXPECT_TRUE(looks_like_duration("czas trwania: 0.123 ms  wykonanie <unnamed>: SELECT 1"));
  EXPECT_TRUE(looks_like_duration("ხანგრძლივობა: 12,345 მწმ"));
  EXPECT_FALSE(looks_like_duration("disconnection: session time: 0:00:05.123 user=a"));
  EXPECT_FALSE(looks_like_duration("checkpoint complete: wrote 5 buffers (0.1%)"));
  EXPECT_FALSE(looks_like_duration("ready"));
}

TEST(IncidentMessages, KeysAreCutToTheirNames) {
  EXPECT_EQ(key_columns("Key (email)=(bob@example.com) already exists."), "email");
  EXPECT_EQ(key_columns("Schlüssel (org_id, slug)=(1, (x)) existiert bereits."), "org_id, slug");
  EXPECT_EQ(key_columns("Key (COALESCE(code, 'secret'))=(a) already exists."), "");
  EXPECT_EQ(key_columns("Failing row contains (1, bob)."), "");
  EXPECT_EQ(key_columns(""), "");
}

TEST(IncidentMessages, ADeadlocksStatementsInAnyLanguage) {
  std::string_view detail =
      "Prozess 91 wartet auf ShareLock-Sperre auf Transaktion 5; blockiert von Prozess 92.\n"
      "Prozess 92 wartet auf ShareLock-Sperre auf Transaktion 4; blockiert von Prozess 91.\n"
      "Processus 91 : UPDATE a\n  SET b = 1: 2\n"
      "プロセス 92: DELETE FROM c";
  const auto first = take_process_statement(detail);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->pid, 91);
  EXPECT_EQ(first->sql, "UPDATE a\n  SET b = 1: 2");
  const auto second = take_process_statement(detail);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->pid, 92);
  EXPECT_EQ(second->sql, "DELETE FROM c");
  EXPECT_FALSE(take_process_statement(detail));
}

TEST(IncidentMessages, TheRelationOfALockedRow) {
  EXPECT_EQ(locked_relation("while updating tuple (9,51) in relation \"products\""), "products");
  EXPECT_EQ(locked_relation("beim Aktualisieren von Tupel (0,1) in Relation »products«"),
            "products");
  EXPECT_EQ(locked_relation("SQL statement \"SELECT 'x in relation \"y\"'\""), "");
}

class Incidents : public ::testing::Test {
 protected:
  Incidents() {
    it_.builder.send_incidents_to([this](const Incident& incident) {
      before_.push_back(it_.out.size());
      seen_.push_back(incident);
    });
  }

  LogRecord error(int64_t ms, std::string_view message, std::string_view statement = {},
                  std::string_view detail = {}) {
    LogRecord record = it_.record(ms, message, detail);
    record.severity = LogSeverity::kError;
    record.statement = statement;
    return record;
  }

  BuilderFixture it_;
  std::vector<Incident> seen_;
  std::vector<size_t> before_;  // executions given out before each
};

TEST_F(Incidents, StandBetweenTheExecutionsThatWereLoggedAroundThem) {
  it_.log(0, "duration: 1.000 ms  statement: SELECT 1");
  it_.builder.on_record(error(5, "deadlock detected", "SELECT 2/*7*/"));
  it_.log(10, "duration: 1.000 ms  statement: SELECT 3");
  it_.builder.flush();
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(before_, std::vector<size_t>{1});
  EXPECT_EQ(it_.out.size(), 2U);
  EXPECT_EQ(it_.sql.queries[seen_[0].query].text, "SELECT 2");
  EXPECT_TRUE(seen_[0].trace_id.known());
  EXPECT_EQ(seen_[0].session, it_.out[0].session);
  EXPECT_EQ(seen_[0].transaction, it_.out[0].transaction);
}

TEST_F(Incidents, NoneIsLostInAFlood) {
  for (int64_t i = 0; i < 5000; ++i)
    it_.builder.on_record(error(i, "sorry, too many clients already"));
  it_.builder.flush();
  EXPECT_EQ(seen_.size(), 5000U);
}

TEST_F(Incidents, RunFromTheirBindOn) {
  it_.log(1, "duration: 1.000 ms  bind <unnamed>: SELECT 1");
  it_.builder.on_record(error(250, "canceling statement due to statement timeout", "SELECT 1"));
  it_.builder.flush();
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(seen_[0].at - seen_[0].started_at, std::chrono::milliseconds(250));
}

TEST_F(Incidents, AStaleCommentIsNotBelieved) {
  it_.log(1, "duration: 1.000 ms  bind ecto_5: SELECT 1/*7*/");
  it_.builder.on_record(
      error(250, "canceling statement due to statement timeout", "SELECT 1/*7*/"));
  it_.builder.flush();
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_FALSE(seen_[0].trace_id.known());
}

TEST_F(Incidents, PartsThatComeLate) {
  it_.builder.on_record(error(5, "deadlock detected"));
  it_.builder.on_late_part(it_.record(5, "",
                                      "Process 10 waits for X; blocked by process 20.\n"
                                      "Process 10: SELECT 1\nProcess 20: SELECT 2"));
  LogRecord statement = it_.record(5, "");
  statement.statement = "SELECT 1";
  it_.builder.on_late_part(statement);
  it_.builder.flush();
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(it_.sql.queries[seen_[0].query].text, "SELECT 1");
  ASSERT_EQ(seen_[0].others_count, 1);
  EXPECT_EQ(seen_[0].others[0].pid, 20);
}

TEST_F(Incidents, ALockWaitNamesItsHolders) {
  LogRecord wait =
      it_.record(300, "process 10 still waiting for ShareLock on transaction 905 after 200.162 ms",
                 "Processes holding the lock: 20, 21. Wait queue: 10, 22.");
  wait.context = "while updating tuple (9,51) in relation \"products\"";
  wait.statement = "SELECT 1";
  it_.builder.on_record(wait);
  it_.builder.flush();
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(seen_[0].others_count, 2);
  EXPECT_EQ(seen_[0].others[1].pid, 21);
  EXPECT_EQ(seen_[0].table.view(), "products");
  EXPECT_EQ(seen_[0].lock_mode.view(), "ShareLock");
}

TEST_F(Incidents, AConnectionsApplicationIsInItsMessage) {
  LogRecord connected =
      it_.record(1, "connection authorized: user=web database=shop application_name=worker");
  connected.application = "[unknown]";
  it_.builder.on_record(connected);
  it_.builder.flush();
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(it_.streams[seen_[0].stream].application, "worker");
}

TEST_F(Incidents, AnErrorInAnUnknownLanguageIsOneBySqlstate) {
  LogRecord record = it_.record(1, "ერთობლივი ჩიხი");
  record.severity = LogSeverity::kUnknown;
  record.sqlstate = "40P01";
  it_.builder.on_record(record);
  it_.builder.flush();
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(seen_[0].kind, Kind::kDeadlock);
}

TEST_F(Incidents, AnUnreadLogIsSaidToBe) {
  it_.log(1, "czas trwania: 0.123 ms  wykonanie <unnamed>: SELECT 1");
  it_.builder.flush();
  const InputFidelity fidelity = judge_fidelity(it_.builder.fidelity());
  ASSERT_EQ(fidelity.advice.size(), 1U);
  EXPECT_EQ(fidelity.advice[0], unreadable_advice());
}

}  // namespace
}  // namespace ectoscope
