// What a server says of itself: settings, extensions, what our role may do.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/database.h"

namespace ectoscope {

struct ServerFacts {
  std::string name;     // "ectoscope@db1:5432/shop"
  std::string version;  // "15.20 (Debian ...)"
  int version_number = 0;
  std::string role;
  std::string database;
  bool superuser = false;
  bool reads_stats = false;     // pg_read_all_stats
  bool reads_settings = false;  // pg_read_all_settings
  bool encrypted = false;
  bool local = false;  // a socket or the loopback
  bool in_recovery = false;
  std::map<std::string, std::string> settings;    // as SHOW has them; hidden and unknown ones lack
  std::set<std::string> pending_restart;          // changed, and not yet in force
  std::map<std::string, std::string> extensions;  // installed in this database, with version
  std::set<std::string> available;                // could be installed
  bool statements_work = false;                   // pg_stat_statements answers
  uint64_t statements = 0;
  uint64_t statements_hidden = 0;
  bool quiets_auto_explain = false;  // may SET auto_explain.log_min_duration, as HypoPG needs
  uint64_t tables = 0;
  uint64_t tables_unreadable = 0;
  std::string log_file;                       // by pg_current_logfile(), absolute; empty: not told
  std::vector<std::string> role_settings;     // "role shop: log_min_duration_statement = 1s"
  std::vector<std::string> role_shared_with;  // applications that connect as our role

  [[nodiscard]] std::string setting(const std::string& key) const {
    const auto found = settings.find(key);
    return found == settings.end() ? std::string() : found->second;
  }
  /// The module is loaded into every session.
  [[nodiscard]] bool loads(std::string_view library) const;
};

/// What can't be asked stays at its default; an error is one of the connection.
std::variant<ServerFacts, DatabaseError> read_server_facts(Database& database);

}  // namespace ectoscope
