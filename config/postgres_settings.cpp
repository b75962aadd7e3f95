#include "config/postgres_settings.h"

#include <array>

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

// Whether it can be read is libpq's to say, when it is used.
bool dsn_like(std::string_view text) {
  return text.size() <= 4096 &&
         (text.find('=') != std::string_view::npos || text.starts_with("postgresql://") ||
          text.starts_with("postgres://"));
}

constexpr TextSpec kDsn = {
    "dsn", "", "host=... dbname=... user=... or postgresql://...", &dsn_like,
    "How the server is reached; deploy/postgresql/role.sql makes the role.  Keep the password in a "
    "passfile (passfile=/etc/ectoscope/pgpass), or the whole in a file, named by dsn_file."};

constexpr std::array kNumbers = {
    OptionSpec{"statements", Type::kBoolean, 1, 0, 1, "Whether pg_stat_statements is polled."},
    OptionSpec{
        "poll_interval", Type::kDuration, 30e6, 1e6, 3600e6,
        "How often.  50,000 entries take 25 ms of our CPU and about 100 ms of the server's."},
    OptionSpec{"max_statements", Type::kInteger, 100'000, 100, 1'000'000,
               "Entries that are held, 120 bytes each; the rest are counted as statements_full."},
    OptionSpec{"hypopg", Type::kBoolean, 1, 0, 1,
               "Whether the planner is asked about advised indexes."},
    OptionSpec{"connect_timeout", Type::kDuration, 5e6, 100e3, 60e6,
               "For a connection to come up."},
    OptionSpec{"statement_timeout", Type::kDuration, 10e6, 100e3, 300e6,
               "For each statement that we send."},
    OptionSpec{"lock_timeout", Type::kDuration, 500e3, 10e3, 60e6,
               "For a lock that EXPLAIN waits for."},
};

void take_numbers(const Options& numbers, PostgresConfig& postgres) {
  postgres.statements = numbers.boolean("statements");
  postgres.poll_interval = numbers.duration("poll_interval");
  postgres.max_statements = static_cast<size_t>(numbers.integer("max_statements"));
  postgres.hypopg = numbers.boolean("hypopg");
  postgres.connect_timeout = numbers.duration("connect_timeout");
  postgres.statement_timeout = numbers.duration("statement_timeout");
  postgres.lock_timeout = numbers.duration("lock_timeout");
}

}  // namespace

PostgresConfig default_postgres() {
  PostgresConfig postgres;
  take_numbers(Options(kNumbers), postgres);
  return postgres;
}

const TextSpec& dsn_setting() {
  return kDsn;
}

std::span<const OptionSpec> postgres_numbers() {
  return kNumbers;
}

void read_postgres(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                   PostgresConfig& postgres) {
  Options numbers(kNumbers);
  YamlReader::Section section;
  yaml.add_secret(kDsn, postgres.dsn, section);
  yaml.add_options(kNumbers, numbers, section);
  yaml.section(path, section, node);
  if (postgres.dsn.empty() && node.IsMap() && !node["dsn"].IsDefined() &&
      !node["dsn_file"].IsDefined()) {
    yaml.add(node.Mark(), path + ": dsn or dsn_file is needed to reach the server");
  }
  take_numbers(numbers, postgres);
}

}  // namespace ectoscope
