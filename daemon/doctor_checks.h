// What a server's settings hide, and the SQL that shows it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/report.h"
#include "daemon/server_facts.h"

namespace ectoscope {

/// The log, looked at from here.
struct LogFacts {
  std::string path;     // empty: none is known
  std::string problem;  // why it can't be read, and what to do; empty: it can
  uint64_t records = 0;
  uint64_t statements = 0;
  InputFidelity fidelity;  // of its first megabytes
};

/// One kind of finding.
struct KindVisibility {
  enum class Seen { kYes, kPartly, kNo };

  std::string kind;
  Seen seen = Seen::kYes;
  std::string why;  // empty when seen in full
};

/// One thing to change.
struct SettingChange {
  std::string why;
  std::vector<std::string> sql;  // for psql as a superuser; empty: not by SQL
  std::string by_hand;           // what to do outside of SQL
  bool restart = false;          // a reload is not enough
};

struct Diagnosis {
  std::vector<KindVisibility> kinds;  // by name
  std::vector<SettingChange> changes;
  std::vector<std::string> warnings;  // what hides nothing, but should be known
  bool reload = false;                // some change needs pg_reload_conf()
  bool restart = false;               // some change needs a restart

  [[nodiscard]] bool hides() const;
};

Diagnosis diagnose(const ServerFacts& server, const LogFacts& log);

}  // namespace ectoscope
