// core/database.h on libpqxx (docs/adr/0005 has how it keeps to deadlines).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/database.h"

namespace ectoscope {

struct PostgresSettings {
  std::string dsn;       // "host=... dbname=..." or postgresql://...; may hold a password
  std::string database;  // instead of the DSN's; empty: as the DSN says
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds statement_timeout{10'000};
  std::chrono::milliseconds lock_timeout{500};
};

/// What is wrong with a DSN by its form alone; empty when it can be tried.  Shows nothing of it but
/// the names of its options.
std::string problem_with_dsn(const std::string& dsn);

/// Never null.  Nothing is connected before the first begin(); a DSN of bad form is that one's
/// error.  `sslmode` is verify-full where the DSN has none and the host is not this machine.
std::unique_ptr<Database> make_postgres(PostgresSettings settings);

}  // namespace ectoscope
