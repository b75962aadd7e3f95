#include "findings/store_database.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <sqlite3.h>
#include <string_view>
#include <utility>

#include "findings/position_codec.h"

namespace ectoscope {
namespace {

using Json = nlohmann::json;

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

constexpr const char* kDeployTable =
    "CREATE TABLE IF NOT EXISTS deploy (at INTEGER NOT NULL, version TEXT NOT NULL,"
    " application TEXT NOT NULL) STRICT;";

int64_t micros(EventTime at) {
  return at.time_since_epoch().count();
}

EventTime time_at(int64_t number) {
  return EventTime(Micros(number));
}

Json encode_files(const std::vector<FileCheckpoint>& files) {
  Json json = Json::array();
  for (const FileCheckpoint& file : files) {
    json.push_back({file.number, file.identity.device, file.identity.inode, file.head_length,
                    file.head_hash, file.read_to, file.resume_at, file.cut, file.copy});
  }
  return json;
}

std::vector<FileCheckpoint> decode_files(const Json& json) {
  std::vector<FileCheckpoint> files;
  for (const Json& each : json) {
    files.push_back({each.at(0).get<uint16_t>(),
                     {each.at(1).get<uint64_t>(), each.at(2).get<uint64_t>()},
                     each.at(3).get<uint32_t>(),
                     each.at(4).get<uint64_t>(),
                     each.at(5).get<uint64_t>(),
                     each.at(6).get<uint64_t>(),
                     each.at(7).get<bool>(),
                     each.at(8).get<bool>()});
  }
  return files;
}

Json encode_life(const StoredFinding& finding) {
  Json json = {
      {"active", finding.active},
      {"live", finding.live},
      {"last_seen", micros(finding.last_seen)},
      {"first", {finding.at_first.child, finding.at_first.parent, finding.at_first.database}},
      {"last", {finding.at_last.child, finding.at_last.parent, finding.at_last.database}}};
  if (finding.resolved_at) json["resolved_at"] = micros(*finding.resolved_at);
  return json;
}

void decode_life(const Json& json, StoredFinding& finding) {
  finding.active = json.at("active").get<bool>();
  finding.live = json.at("live").get<bool>();
  finding.last_seen = time_at(json.at("last_seen").get<int64_t>());
  if (json.contains("resolved_at"))
    finding.resolved_at = time_at(json.at("resolved_at").get<int64_t>());
  for (auto [name, runs] :
       {std::pair("first", &finding.at_first), std::pair("last", &finding.at_last)}) {
    const Json& each = json.at(name);
    *runs = {each.at(0).get<uint64_t>(), each.at(1).get<uint64_t>(), each.at(2).get<uint64_t>()};
  }
}

Json encode_facts(const StoredStatement& statement) {
  return {{"summary", statement.summary},
          {"fingerprint", statement.fingerprint},
          {"operation", static_cast<int>(statement.operation)},
          {"buckets", statement.durations.buckets},
          {"seconds", statement.durations.sum_seconds},
          {"max_us", statement.max.count()}};
}

void decode_facts(const Json& json, StoredStatement& statement) {
  constexpr int kOperations = 7;
  statement.summary = json.at("summary").get<std::string>();
  statement.fingerprint = json.at("fingerprint").get<uint64_t>();
  statement.operation = static_cast<Operation>(json.at("operation").get<int>() % kOperations);
  statement.durations.buckets = json.at("buckets").get<decltype(statement.durations.buckets)>();
  statement.durations.sum_seconds = json.at("seconds").get<double>();
  statement.max = Micros(json.at("max_us").get<int64_t>());
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

StoreTrouble not_writable(const std::string& path, const std::string& why) {
  return {StoreTrouble::Kind::kUnusable,
          path + ": cannot be written" + why +
              "; make it and its directory writable for this process' user, or choose another "
              "state.directory"};
}

/// A step did not succeed; trouble() knows why.
struct Failed {};

}  // namespace

/// Throws Failed.
class StoreDatabase::Statement {
 public:
  Statement(sqlite3* handle, const char* sql) {
    const int code = sqlite3_prepare_v2(handle, sql, -1, &statement_, nullptr);
    if (code != SQLITE_OK) throw Failed{};
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  Statement& bind(std::string_view text) {
    sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
    return *this;
  }
  Statement& bind_blob(std::string_view bytes) {
    sqlite3_bind_blob(statement_, ++bound_, bytes.data() == nullptr ? "" : bytes.data(),
                      static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
    return *this;
  }
  Statement& bind(int64_t number) {
    sqlite3_bind_int64(statement_, ++bound_, number);
    return *this;
  }
  Statement& bind(uint64_t number) { return bind(static_cast<int64_t>(number)); }

  /// True: a row is there.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) throw Failed{};
    return code == SQLITE_ROW;
  }
  /// Runs it, and makes it ready to be bound again.
  void run() {
    step();
    sqlite3_reset(statement_);
    bound_ = 0;
  }

  [[nodiscard]] std::string text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
    return bytes == nullptr ? std::string() : std::string(bytes, size);
  }
  [[nodiscard]] int64_t integer(int column) const {
    return sqlite3_column_int64(statement_, column);
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

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
    Statement version(handle_, "PRAGMA user_version");
    version.step();
    form = std::max<int64_t>(0, version.integer(0));
  } catch (const Failed&) {
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

std::optional<StoreTrouble> StoreDatabase::write(const StoredServer& server,
                                                 EventTime oldest_hour) {
  if (auto trouble = run("BEGIN IMMEDIATE")) return trouble;
  try {
    write_sources(server);
    write_findings(server, oldest_hour);
    write_statements(server);
  } catch (const Failed&) {
    StoreTrouble failed = trouble();
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
    return failed;
  }
  return run("COMMIT");
}

void StoreDatabase::write_sources(const StoredServer& server) {
  Statement put(handle_, "INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?, ?, ?)");
  for (const SourceCheckpoint& source : server.sources) {
    put.bind(server.server)
        .bind(source.pattern)
        .bind(dump(encode_files(source.files)))
        .bind_blob(encode_positions(source.uncounted))
        .bind_blob(encode_positions(source.open))
        .bind_blob(encode_positions(source.writes))
        .run();
  }
}

void StoreDatabase::write_findings(const StoredServer& server, EventTime oldest_hour) {
  Statement put(handle_, "INSERT OR REPLACE INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const StoredFinding& finding : server.findings) {
    put.bind(finding.id)
        .bind(server.server)
        .bind(finding.kind)
        .bind(finding.database)
        .bind(finding.query)
        .bind(finding.parent)
        .bind(finding.totals)
        .bind(dump(encode_life(finding)))
        .run();
    if (finding.acknowledged) write_acknowledgement(finding.id, *finding.acknowledged);
  }
  for (const char* sql :
       {"DELETE FROM finding WHERE id = ?", "DELETE FROM history WHERE finding = ?",
        "DELETE FROM acknowledgement WHERE finding = ?"}) {
    Statement remove(handle_, sql);
    for (const std::string& id : server.forgotten)
      remove.bind(id).run();
  }
  Statement hours(handle_, "INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?, ?, ?, ?)");
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
  Statement(handle_, "DELETE FROM history WHERE hour < ?").bind(micros(oldest_hour)).run();
}

void StoreDatabase::write_statements(const StoredServer& server) {
  Statement put(handle_, "INSERT OR REPLACE INTO statement VALUES (?, ?, ?, ?, ?)");
  for (const StoredStatement& statement : server.statements) {
    put.bind(server.server)
        .bind(statement.database)
        .bind(statement.text)
        .bind(statement.durations.count)
        .bind(dump(encode_facts(statement)))
        .run();
  }
}

void StoreDatabase::write_acknowledgement(const std::string& finding,
                                          const Acknowledgement& acknowledgement) {
  Statement(handle_, "INSERT OR REPLACE INTO acknowledgement VALUES (?, ?, ?, ?)")
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
  } catch (const Failed&) {
    return trouble();
  }
  return std::nullopt;
}

// Made when it is first needed: a file without it is not of another form.
std::optional<StoreTrouble> StoreDatabase::write_deploys(const std::vector<Deploy>& deploys) {
  if (auto trouble = run((std::string("BEGIN IMMEDIATE;") + kDeployTable).c_str())) return trouble;
  try {
    Statement(handle_, "DELETE FROM deploy").run();
    for (const Deploy& deploy : deploys) {
      Statement(handle_, "INSERT INTO deploy VALUES (?, ?, ?)")
          .bind(micros(deploy.at))
          .bind(deploy.version)
          .bind(deploy.application)
          .run();
    }
  } catch (const Failed&) {
    StoreTrouble failed = trouble();
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
    return failed;
  }
  return run("COMMIT");
}

std::optional<StoreTrouble> StoreDatabase::read_deploys(std::vector<Deploy>& into) {
  if (auto trouble = run(kDeployTable)) return trouble;
  try {
    Statement deploys(handle_, "SELECT at, version, application FROM deploy ORDER BY at DESC");
    while (deploys.step())
      into.push_back({time_at(deploys.integer(0)), deploys.text(1), deploys.text(2)});
  } catch (const Failed&) {
    return trouble();
  }
  return std::nullopt;
}

std::optional<StoreTrouble> StoreDatabase::read(const std::string& server, EventTime oldest_hour,
                                                StoredServer& into) {
  into.server = server;
  try {
    read_sources(into);
    read_findings(into);
    read_statements(into);
    Statement hours(handle_,
                    "SELECT h.* FROM history h JOIN finding f ON f.id = h.finding"
                    " WHERE f.server = ? AND h.hour >= ? ORDER BY h.finding, h.hour");
    hours.bind(server).bind(micros(oldest_hour));
    while (hours.step()) {
      into.hours.push_back(
          {hours.text(0), time_at(hours.integer(1)), static_cast<uint64_t>(hours.integer(2)),
           static_cast<uint64_t>(hours.integer(3)), static_cast<uint64_t>(hours.integer(4)),
           Micros(hours.integer(5)), Micros(hours.integer(6))});
    }
  } catch (const Failed&) {
    return trouble();
  } catch (const Json::exception&) {
    return StoreTrouble{StoreTrouble::Kind::kCorrupt, path_ + ": damaged"};
  }
  return std::nullopt;
}

bool StoreDatabase::in_use_before() {
  try {
    return Statement(handle_, "SELECT 1 FROM checkpoint LIMIT 1").step();
  } catch (const Failed&) {
    return false;
  }
}

void StoreDatabase::read_sources(StoredServer& into) {
  Statement get(handle_,
                "SELECT source, files, uncounted, open, writes FROM checkpoint WHERE server = ?");
  get.bind(into.server);
  while (get.step()) {
    SourceCheckpoint source;
    source.pattern = get.text(0);
    source.files = decode_files(Json::parse(get.text(1)));
    source.uncounted = decode_positions(get.text(2));
    source.open = decode_positions(get.text(3));
    source.writes = decode_positions(get.text(4));
    into.sources.push_back(std::move(source));
  }
}

void StoreDatabase::read_findings(StoredServer& into) {
  Statement get(handle_,
                "SELECT f.id, f.kind, f.database, f.query, f.parent, f.totals, f.life, a.at, a.who,"
                " a.why FROM finding f LEFT JOIN acknowledgement a ON a.finding = f.id"
                " WHERE f.server = ? ORDER BY f.id");
  get.bind(into.server);
  while (get.step()) {
    StoredFinding finding;
    finding.server = into.server;
    finding.id = get.text(0);
    finding.kind = get.text(1);
    finding.database = get.text(2);
    finding.query = get.text(3);
    finding.parent = get.text(4);
    finding.totals = get.text(5);
    decode_life(Json::parse(get.text(6)), finding);
    if (get.integer(7) != 0)
      finding.acknowledged = {time_at(get.integer(7)), get.text(8), get.text(9)};
    into.findings.push_back(std::move(finding));
  }
}

void StoreDatabase::read_statements(StoredServer& into) {
  Statement get(handle_,
                "SELECT database, text, executions, facts FROM statement WHERE server = ?");
  get.bind(into.server);
  while (get.step()) {
    StoredStatement statement;
    statement.database = get.text(0);
    statement.text = get.text(1);
    statement.durations.count = static_cast<uint64_t>(get.integer(2));
    decode_facts(Json::parse(get.text(3)), statement);
    into.statements.push_back(std::move(statement));
  }
}

std::optional<StoreTrouble> StoreDatabase::read_hours(const std::string& finding,
                                                      std::vector<StoredHour>& into) {
  try {
    Statement get(handle_, "SELECT * FROM history WHERE finding = ? ORDER BY hour");
    get.bind(finding);
    while (get.step()) {
      into.push_back({finding, time_at(get.integer(1)), static_cast<uint64_t>(get.integer(2)),
                      static_cast<uint64_t>(get.integer(3)), static_cast<uint64_t>(get.integer(4)),
                      Micros(get.integer(5)), Micros(get.integer(6))});
    }
  } catch (const Failed&) {
    return trouble();
  }
  return std::nullopt;
}

}  // namespace ectoscope
