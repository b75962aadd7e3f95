#include "findings/store_database.h"

#include <algorithm>
#include <array>
#include <sqlite3.h>
#include <string_view>
#include <utility>

#include "findings/position_codec.h"
#include "findings/sqlite_statement.h"
#include "findings/store_codec.h"

namespace ectoscope {
namespace {

/// Each makes the form of that number from the one before it.
constexpr std::array<const char*, 2> kForms = {R"(
CREATE TABLE checkpoint (server TEXT NOT NULL, source TEXT NOT NULL, files TEXT NOT NULL,
  uncounted BLOB NOT NULL, open BLOB NOT NULL, PRIMARY KEY (server, source)) STRICT, WITHOUT ROWID;
CREATE TABLE finding (id TEXT NOT NULL PRIMARY KEY, server TEXT NOT NULL, kind TEXT NOT NULL,
  database TEXT NOT NULL, query TEXT NOT NULL, parent TEXT NOT NULL, totals TEXT NOT NULL,
  life TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE history (finding TEXT NOT NULL, hour INTEGER NOT NULL, occurrences INTEGER NOT NULL,
  statements INTEGER NOT NULL, excess INTEGER NOT NULL, database_us INTEGER NOT NULL,
  saved_us INTEGER NOT NULL, PRIMARY KEY (finding, hour)) STRICT, WITHOUT ROWID;
CREATE TABLE statement (server TEXT NOT NULL, database TEXT NOT NULL, text TEXT NOT NULL,
  executions INTEGER NOT NULL, facts TEXT NOT NULL,
  PRIMARY KEY (server, database, text)) STRICT, WITHOUT ROWID;
CREATE TABLE acknowledgement (finding TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL,
  who TEXT NOT NULL, why TEXT NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
)",
                                               R"(
ALTER TABLE checkpoint ADD COLUMN writes BLOB NOT NULL DEFAULT x'';
PRAGMA user_version = 2;
)"};

constexpr int64_t kForm = kForms.size();

StoreTrouble not_writable(const std::string& path, const std::string& why) {
  return {StoreTrouble::Kind::kUnusable,
          path + ": cannot be written" + why +
              "; make it and its directory writable for this process' user, or choose another "
              "state.directory"};
}

}  // namespace

const char* const StoreDatabase::kDeployTable =
    "CREATE TABLE IF NOT EXISTS deploy (at INTEGER NOT NULL, version TEXT NOT NULL,"
    " application TEXT NOT NULL) STRICT;";

StoreDatabase::Opened StoreDatabase::open(const std::string& path) {
  sqlite3* handle = nullptr;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &handle, kFlags, nullptr);
  std::unique_ptr<StoreDatabase> database(new StoreDatabase(handle, path));
  if (code != SQLITE_OK) return {nullptr, database->trouble()};
  sqlite3_extended_result_codes(handle, 1);
  if (sqlite3_db_readonly(handle, "main") == 1) return {nullptr, not_writable(path, "")};
  if (auto trouble = database->prepare_file()) return {nullptr, *trouble};
  return {std::move(database), {}};
}

StoreDatabase::~StoreDatabase() {
  sqlite3_close(handle_);
}

std::optional<StoreTrouble> StoreDatabase::prepare_file() {
  sqlite3_busy_timeout(handle_, 0);
  for (const char* pragma :
       {"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = NORMAL", "PRAGMA journal_size_limit = 16777216"}) {
    if (auto trouble = run(pragma)) return trouble;
  }
  int64_t form = 0;
  try {
    SqliteStatement version(handle_, "PRAGMA user_version");
    version.step();
    form = std::max<int64_t>(0, version.integer(0));
  } catch (const SqliteFailed&) {
    return trouble();
  }
  if (form > kForm) {
    return StoreTrouble{StoreTrouble::Kind::kNewer,
                        path_ + ": written by a newer ectoscope (form " + std::to_string(form) +
                            ", this one knows " + std::to_string(kForm) +
                            "); run that one, or move the file away"};
  }
  std::string steps;
  for (; form < kForm; ++form)
    steps += kForms.at(static_cast<size_t>(form));
  return run(("BEGIN IMMEDIATE;" + steps + "COMMIT").c_str());
}

std::optional<StoreTrouble> StoreDatabase::run(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return std::nullopt;
  StoreTrouble failed = trouble();
  sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  return failed;
}

StoreTrouble StoreDatabase::trouble() const {
  const int code = handle_ == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(handle_);
  const std::string why = " (SQLite: " + std::string(sqlite3_errstr(code)) + ")";
  using Kind = StoreTrouble::Kind;
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return {Kind::kCorrupt, path_ + ": damaged" + why};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Kind::kInUse, path_ + ": another ectoscope uses it" + why +
                                "; end that one, or give this one a state.directory of its own"};
    case SQLITE_FULL:
      return {Kind::kUnusable, path_ + ": no space is left" + why +
                                   "; free some, or choose another state.directory"};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return not_writable(path_, why);
    default:
      return {Kind::kUnusable,
              path_ + ": cannot be written" + why + "; check the disk, its space and its mount"};
  }
}

bool StoreDatabase::in_use_before() {
  try {
    return SqliteStatement(handle_, "SELECT 1 FROM checkpoint LIMIT 1").step();
  } catch (const SqliteFailed&) {
    return false;
  }
}

std::optional<StoreTrouble> StoreDatabase::write(const StoredServer& server,
                                                 EventTime oldest_hour) {
  if (auto trouble = run("BEGIN IMMEDIATE")) return trouble;
  try {
    write_sources(server);
    write_findings(server, oldest_hour);
    write_statements(server);
  } catch (const SqliteFailed&) {
    StoreTrouble failed = trouble();
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
    return failed;
  }
  return run("COMMIT");
}

void StoreDatabase::write_sources(const StoredServer& server) {
  SqliteStatement put(handle_, "INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?, ?, ?)");
  for (const SourceCheckpoint& source : server.sources) {
    put.bind(server.server)
        .bind(source.pattern)
        .bind(encode_files(source.files))
        .bind_blob(encode_positions(source.uncounted))
        .bind_blob(encode_positions(source.open))
        .bind_blob(encode_positions(source.writes))
        .run();
  }
}

void StoreDatabase::write_findings(const StoredServer& server, EventTime oldest_hour) {
  SqliteStatement put(handle_, "INSERT OR REPLACE INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const StoredFinding& finding : server.findings) {
    put.bind(finding.id)
        .bind(server.server)
        .bind(finding.kind)
        .bind(finding.database)
        .bind(finding.query)
        .bind(finding.parent)
        .bind(finding.totals)
        .bind(encode_life(finding))
        .run();
    if (finding.acknowledged) write_acknowledgement(finding.id, *finding.acknowledged);
  }
  for (const char* sql :
       {"DELETE FROM finding WHERE id = ?", "DELETE FROM history WHERE finding = ?",
        "DELETE FROM acknowledgement WHERE finding = ?"}) {
    SqliteStatement remove(handle_, sql);
    for (const std::string& id : server.forgotten)
      remove.bind(id).run();
  }
  SqliteStatement hours(handle_, "INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const StoredHour& hour : server.hours) {
    hours.bind(hour.finding)
        .bind(micros(hour.hour))
        .bind(hour.occurrences)
        .bind(hour.statements)
        .bind(hour.excess_statements)
        .bind(hour.database_time.count())
        .bind(hour.saved.count())
        .run();
  }
  if (server.hours.empty()) return;
  SqliteStatement(handle_, "DELETE FROM history WHERE hour < ?").bind(micros(oldest_hour)).run();
}

void StoreDatabase::write_statements(const StoredServer& server) {
  SqliteStatement put(handle_, "INSERT OR REPLACE INTO statement VALUES (?, ?, ?, ?, ?)");
  for (const StoredStatement& statement : server.statements) {
    put.bind(server.server)
        .bind(statement.database)
        .bind(statement.text)
        .bind(statement.durations.count)
        .bind(encode_facts(statement))
        .run();
  }
}

void StoreDatabase::write_acknowledgement(const std::string& finding,
                                          const Acknowledgement& acknowledgement) {
  SqliteStatement(handle_, "INSERT OR REPLACE INTO acknowledgement VALUES (?, ?, ?, ?)")
      .bind(finding)
      .bind(micros(acknowledgement.at))
      .bind(acknowledgement.by)
      .bind(acknowledgement.why)
      .run();
}

std::optional<StoreTrouble> StoreDatabase::acknowledge(const std::string& finding,
                                                       const Acknowledgement& acknowledgement) {
  try {
    write_acknowledgement(finding, acknowledgement);
  } catch (const SqliteFailed&) {
    return trouble();
  }
  return std::nullopt;
}

// Made when it is first needed: a file without it is not of another form.
std::optional<StoreTrouble> StoreDatabase::write_deploys(const std::vector<Deploy>& deploys) {
  if (auto trouble = run((std::string("BEGIN IMMEDIATE;") + kDeployTable).c_str())) return trouble;
  try {
    SqliteStatement(handle_, "DELETE FROM deploy").run();
    for (const Deploy& deploy : deploys) {
      SqliteStatement(handle_, "INSERT INTO deploy VALUES (?, ?, ?)")
          .bind(micros(deploy.at))
          .bind(deploy.version)
          .bind(deploy.application)
          .run();
    }
  } catch (const SqliteFailed&) {
    StoreTrouble failed = trouble();
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
    return failed;
  }
  return run("COMMIT");
}

}  // namespace ectoscope
