#include "daemon/doctor_report.h"

#include <algorithm>

#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

using Seen = KindVisibility::Seen;

std::string role_line(const ServerFacts& facts) {
  std::string line = facts.role;
  line += facts.superuser ? ", a superuser" : ", no superuser";
  if (facts.reads_stats && facts.reads_settings) {
    line += "; sees all statements and settings";
  } else {
    line += facts.reads_stats ? "; does not see all settings"
                              : "; does not see other roles' statements";
  }
  return line;
}

std::string log_line(const LogFacts& log) {
  if (log.path.empty()) return "not known";
  if (!log.problem.empty()) return log.path + " (cannot be read)";
  return log.path + ", " + std::to_string(log.statements) + " statements in its head";
}

std::string counters_line(const ServerFacts& facts) {
  const auto installed = facts.extensions.find("pg_stat_statements");
  if (installed == facts.extensions.end()) return "not installed";
  if (!facts.statements_work) return installed->second + ", does not answer";
  std::string line = installed->second + ", " + std::to_string(facts.statements);
  if (const std::string most = facts.setting("pg_stat_statements.max"); !most.empty()) {
    line += " of " + most;
  }
  return line + " entries";
}

void write_kinds(const Diagnosis& diagnosis, std::ostream& out) {
  size_t width = 0;
  for (const KindVisibility& kind : diagnosis.kinds)
    width = std::max(width, kind.kind.size());
  out << "\nWhat can be seen\n";
  for (const KindVisibility& kind : diagnosis.kinds) {
    out << "  " << kind.kind << std::string(width - kind.kind.size() + 2, ' ');
    out << (kind.seen == Seen::kYes ? "yes" : kind.seen == Seen::kPartly ? "partly" : "no");
    if (!kind.why.empty()) out << ": " << kind.why;
    out << "\n";
  }
}

void write_changes(const Diagnosis& diagnosis, std::ostream& out) {
  if (diagnosis.changes.empty()) return;
  out << "\nWhat to change (in psql, as a superuser, in this database)\n";
  for (const SettingChange& change : diagnosis.changes) {
    out << "\n  -- " << harmless(change.why) << "\n";
    for (const std::string& line : change.sql)
      out << "  " << harmless(line) << "\n";
    if (!change.by_hand.empty()) out << "  -- " << harmless(change.by_hand) << "\n";
    if (change.restart) out << "  -- needs a restart of PostgreSQL\n";
  }
  if (diagnosis.reload) out << "\n  SELECT pg_reload_conf();\n";
  if (diagnosis.restart) out << "  -- and restart PostgreSQL\n";
}

}  // namespace

void write_diagnosis(const std::string& server, const ServerFacts& facts, const LogFacts& log,
                     const Diagnosis& diagnosis, std::ostream& out) {
  out << harmless(server) << ": " << harmless(facts.name) << "\n\n";
  const auto fact = [&out](const char* name, const std::string& value) {
    out << "  " << name << harmless(value) << "\n";
  };
  fact("PostgreSQL          ", facts.version + (facts.in_recovery ? ", a standby" : ""));
  fact("connection          ", facts.encrypted ? "encrypted"
                               : facts.local   ? "not encrypted, on this machine"
                                               : "not encrypted");
  fact("role                ", role_line(facts));
  fact("log                 ", log_line(log));
  fact("pg_stat_statements  ", counters_line(facts));
  const auto hypopg = facts.extensions.find("hypopg");
  fact("hypopg              ", hypopg == facts.extensions.end() ? "not installed" : hypopg->second);
  write_kinds(diagnosis, out);
  write_changes(diagnosis, out);
  if (!diagnosis.warnings.empty()) out << "\nWorth knowing\n";
  for (const std::string& warning : diagnosis.warnings)
    out << "  - " << harmless(warning) << "\n";
  const auto hidden = std::count_if(diagnosis.kinds.begin(), diagnosis.kinds.end(),
                                    [](const auto& kind) { return kind.seen != Seen::kYes; });
  out << "\n";
  if (hidden == 0) {
    out << "Nothing is hidden.\n";
  } else {
    out << hidden << " of " << diagnosis.kinds.size() << " kinds of findings are hidden.\n";
  }
}

}  // namespace ectoscope
