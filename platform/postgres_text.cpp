#include "platform/postgres_text.h"

#include <algorithm>
#include <array>

namespace ectoscope {
namespace {

using Reason = DatabaseError::Reason;

/// PostgreSQL gives no code for a refused connection, only words.  The first that fits counts.
struct Sign {
  std::string_view words;
  Reason reason;
  std::string_view remedy;
};

constexpr std::array kSigns = {
    Sign{"no password supplied", Reason::kAuthentication,
         "give it in a passfile (passfile=/etc/ectoscope/pgpass in the DSN, mode 0600) or in the "
         "file that dsn_file names"},
    Sign{"password authentication failed", Reason::kAuthentication,
         "check the role's password and the passfile"},
    Sign{"no pg_hba.conf entry", Reason::kAuthentication,
         "add a line for this role, database and host to pg_hba.conf and reload PostgreSQL"},
    Sign{"pg_hba.conf rejects", Reason::kAuthentication,
         "change the line of pg_hba.conf that rejects this role and host"},
    Sign{"root certificate file", Reason::kConfiguration,
         "name the authority's certificate with sslrootcert=FILE in the DSN; sslmode=require "
         "encrypts without checking who answers"},
    Sign{"server does not support SSL", Reason::kUnreachable,
         "switch ssl on in postgresql.conf, or say sslmode=disable where the network is trusted"},
    Sign{"invalid sslmode value", Reason::kConfiguration,
         "sslmode is disable, allow, prefer, require, verify-ca or verify-full"},
    Sign{"certificate", Reason::kAuthentication, "check sslrootcert, sslcert and the host's name"},
    Sign{"too many connections", Reason::kUnreachable,
         "raise the role's or the database's connection limit"},
    Sign{"too many clients", Reason::kUnreachable, "free a connection or raise max_connections"},
    Sign{"connection slots are reserved", Reason::kUnreachable,
         "free a connection or raise max_connections"},
    Sign{"starting up", Reason::kUnreachable, "it is tried again"},
    Sign{"shutting down", Reason::kUnreachable, "it is tried again"},
    Sign{"in recovery mode", Reason::kUnreachable, "it is tried again"},
    Sign{"not permitted to log in", Reason::kAuthentication, "ALTER ROLE ... LOGIN"},
    Sign{"does not exist", Reason::kAuthentication, "check the names in the DSN"},
    Sign{"permission denied for database", Reason::kAuthentication,
         "GRANT CONNECT ON DATABASE ... TO the role"},
    Sign{"could not translate host name", Reason::kUnreachable, "check the host's name"},
    Sign{"Connection refused", Reason::kUnreachable,
         "is PostgreSQL running there, and does listen_addresses have that address?"},
    Sign{"No such file or directory", Reason::kUnreachable,
         "is PostgreSQL running, and is its socket in that folder?"},
    Sign{"FATAL", Reason::kAuthentication, "ask the server's log why"},
};

}  // namespace

std::string one_line(std::string_view message, std::string_view password) {
  std::string line;
  for (const char c : message) {
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  // libpq's guesses; ours come after.
  if (const size_t guess = line.find(" Is the server running"); guess != std::string::npos) {
    line.erase(guess, line.find('?', guess) - guess + 1);
  }
  if (password.empty()) return line;
  for (size_t at = 0; (at = line.find(password, at)) != std::string::npos; at += 3)
    line.replace(at, password.size(), "***");
  return line;
}

std::string without_quoted(std::string_view message) {
  std::string kept;
  bool quoted = false;
  for (const char c : message) {
    if (c == '"') {
      if (!quoted) kept += "...";
      quoted = !quoted;
    } else if (!quoted) {
      kept += c;
    }
  }
  return kept;
}

DatabaseError connect_error(const std::string& name, std::string_view message,
                            std::string_view password) {
  const std::string said = one_line(message, password);
  DatabaseError error{Reason::kUnreachable, "cannot connect to " + name + ": " + said, ""};
  const auto* const sign = std::find_if(
      kSigns.begin(), kSigns.end(),
      [&said](const Sign& candidate) { return said.find(candidate.words) != std::string::npos; });
  if (sign == kSigns.end()) return error;
  error.reason = sign->reason;
  error.message += "; " + std::string(sign->remedy);
  return error;
}

DatabaseError::Reason reason_of(std::string_view sqlstate) {
  if (sqlstate.empty()) return Reason::kLost;
  if (sqlstate == "42501") return Reason::kPrivilege;
  // undefined_table, undefined_function, undefined_column, undefined_object, undefined_file; and
  // object_not_in_prerequisite_state, which an extension says that is not preloaded.
  for (const std::string_view missing : {"42P01", "42883", "42703", "42704", "58P01", "55000"}) {
    if (sqlstate == missing) return Reason::kMissing;
  }
  // query_canceled, lock_not_available, idle_in_transaction_session_timeout
  if (sqlstate == "57014" || sqlstate == "55P03" || sqlstate == "25P03") return Reason::kTimeout;
  // connection exceptions; admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped
  if (sqlstate.starts_with("08") || sqlstate.starts_with("57P")) return Reason::kLost;
  return Reason::kOther;
}

std::string_view primary_message(std::string_view message) {
  message = message.substr(0, message.find('\n'));
  constexpr std::string_view kAfterSeverity = ":  ";
  const size_t at = message.find(kAfterSeverity);
  return at == std::string_view::npos ? message : message.substr(at + kAfterSeverity.size());
}

}  // namespace ectoscope
