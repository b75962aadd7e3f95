#include "platform/postgres_text.h"

#include <gmock/gmock.h>

#include "platform/postgres.h"
#include "platform/postgres_dsn.h"

namespace ectoscope {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Reason = DatabaseError::Reason;

TEST(ConnectError, IsClassedByWordsAndSaysWhatToDo) {
  const struct {
    const char* said;
    Reason reason;
    const char* remedy;
  } cases[] = {
      {"connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs the server "
       "running on that host and accepting TCP/IP connections?",
       Reason::kUnreachable, "listen_addresses"},
      {"connection failed: FATAL:  password authentication failed for user \"e\"",
       Reason::kAuthentication, "passfile"},
      {"fe_sendauth: no password supplied", Reason::kAuthentication, "passfile="},
      {"FATAL:  no pg_hba.conf entry for host \"10.0.0.1\", user \"e\", database \"d\", no "
       "encryption",
       Reason::kAuthentication, "pg_hba.conf"},
      {"FATAL:  role \"e\" does not exist", Reason::kAuthentication, "names in the DSN"},
      {"FATAL:  database \"d\" does not exist", Reason::kAuthentication, "names in the DSN"},
      {"FATAL:  permission denied for database \"d\"", Reason::kAuthentication, "GRANT CONNECT"},
      {"FATAL:  the database system is starting up", Reason::kUnreachable, "tried again"},
      {"FATAL:  the database system is in recovery mode", Reason::kUnreachable, "tried again"},
      {"FATAL:  sorry, too many clients already", Reason::kUnreachable, "max_connections"},
      {"FATAL:  too many connections for role \"e\"", Reason::kUnreachable, "connection limit"},
      {"could not translate host name \"nowhere\" to address", Reason::kUnreachable, "host's name"},
      {"root certificate file \"/home/ectoscope/.postgresql/root.crt\" does not exist",
       Reason::kConfiguration, "sslrootcert=FILE"},
      {"server does not support SSL, but SSL was required", Reason::kUnreachable, "ssl on"},
      {"SSL error: certificate verify failed", Reason::kAuthentication, "sslrootcert"},
      {"FATAL:  something new", Reason::kAuthentication, "server's log"},
      {"no answer within connect_timeout", Reason::kUnreachable, "no answer"},
  };
  for (const auto& it : cases) {
    const DatabaseError error = connect_error("e@db:5432/d", it.said, "");
    EXPECT_EQ(error.reason, it.reason) << it.said;
    EXPECT_THAT(error.message, HasSubstr(it.remedy)) << it.said;
    EXPECT_THAT(error.message, HasSubstr("e@db:5432/d")) << it.said;
    EXPECT_THAT(error.message, Not(HasSubstr("\n"))) << it.said;
  }
}

TEST(ConnectError, HidesThePassword) {
  const DatabaseError error = connect_error("e@db", "odd: \"hunter2\" and hunter2", "hunter2");
  EXPECT_THAT(error.message, Not(HasSubstr("hunter2")));
  EXPECT_THAT(error.message, HasSubstr("***"));
}

TEST(Reasons, AreReadFromSqlstates) {
  const struct {
    const char* state;
    Reason reason;
  } cases[] = {
      {"", Reason::kLost},         {"42501", Reason::kPrivilege}, {"42P01", Reason::kMissing},
      {"42883", Reason::kMissing}, {"55000", Reason::kMissing},   {"57014", Reason::kTimeout},
      {"55P03", Reason::kTimeout}, {"57P01", Reason::kLost},      {"08006", Reason::kLost},
      {"22012", Reason::kOther},
  };
  for (const auto& it : cases)
    EXPECT_EQ(reason_of(it.state), it.reason) << it.state;
}

TEST(Dsn, ProblemsShowNoValue) {
  for (const char* dsn : {"host=db password=hunter2 secret", "host=db user=e password='hunter2",
                          "hunter2", "postgresql://e:hunter2%zz@db/shop", "host=db hunter2=1",
                          "postgresql://e:hunter2@[::1/x"}) {
    const std::string problem = problem_with_dsn(dsn);
    EXPECT_THAT(problem, HasSubstr("the DSN cannot be read")) << dsn;
    EXPECT_THAT(problem, Not(HasSubstr("hunter2"))) << dsn;
    EXPECT_THAT(problem, Not(HasSubstr("secret"))) << dsn;
  }
  for (const char* dsn :
       {"", "host=db", "postgresql://e:x@db1,db2/shop?sslmode=require", "service=shop"}) {
    EXPECT_EQ(problem_with_dsn(dsn), "") << dsn;
  }
}

TEST(Dsn, IsCompletedWithWhatIsSafe) {
  const struct {
    const char* dsn;
    const char* sslmode;
    const char* name;
  } cases[] = {
      {"host=db1 user=e dbname=shop", "verify-full", "e@db1:5432/shop"},
      {"host=127.0.0.1 port=5433", "prefer", "127.0.0.1:5433"},
      {"host=/run/postgresql user=e", "prefer", "e@/run/postgresql:5432"},
      {"user=e", "prefer", "e@local socket:5432"},
      {"host=localhost,db2 user=e", "verify-full", "e@localhost,db2:5432"},
      {"postgresql://e:hunter2@db1/shop?sslmode=require", "require", "e@db1:5432/shop"},
  };
  for (const auto& it : cases) {
    ConnectOptions options = read_dsn(it.dsn).value();
    complete_options("", options);
    EXPECT_EQ(value_of(options, "sslmode"), it.sslmode) << it.dsn;
    EXPECT_EQ(value_of(options, "application_name"), "ectoscope") << it.dsn;
    EXPECT_EQ(describe_server(options), it.name) << it.dsn;
  }
  ConnectOptions other = read_dsn("host=db1 dbname=postgres application_name=psql").value();
  complete_options("shop", other);
  EXPECT_EQ(value_of(other, "dbname"), "shop");
  EXPECT_EQ(value_of(other, "application_name"), "ectoscope");
}

TEST(Messages, OfStatementsQuoteNothingOfThem) {
  EXPECT_EQ(
      primary_message("ERROR:  relation \"posts\" does not exist\nLINE 1: SELECT 'secret' FROM"
                      " posts\n                            ^\n"),
      "relation \"posts\" does not exist");
  EXPECT_EQ(primary_message("FEHLER:  Division durch Null\n"), "Division durch Null");
  EXPECT_EQ(primary_message("ERROR:  column \"a:  b\" does not exist"),
            "column \"a:  b\" does not exist");
  EXPECT_EQ(primary_message("out of memory"), "out of memory");
}

}  // namespace
}  // namespace ectoscope
