// The PostgreSQL clusters of a Debian machine, as pg_lsclusters(1) knows them: by their files.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/log_files.h"

namespace ectoscope {

struct DebianCluster {
  std::string version;   // "15"
  std::string name;      // "main"
  std::string port;      // "5432"
  std::string log;       // a path, or a pattern where each day has its file
  std::string format;    // stderr, csvlog or jsonlog
  std::string problem;   // why the log can't be read; empty when it can
  bool running = false;  // by its pid file
};

/// Those under `root` (empty: this machine's own), by version and name.  Settings that only the
/// server can tell (its data directory is not ours to read) are taken for Debian's.
std::vector<DebianCluster> find_debian_clusters(Files& files, LogFiles& log_files,
                                                const std::string& root);

/// With what to run and to configure for each.
void write_clusters(const std::vector<DebianCluster>& clusters, std::ostream& out);

}  // namespace ectoscope
