// The SQLite file behind Store, and nothing but SQL.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/deploys.h"
#include "core/result.h"
#include "findings/stored.h"

struct sqlite3;

namespace ectoscope {

/// What went wrong with the file.
struct StoreTrouble {
  enum class Kind : uint8_t { kUnusable, kCorrupt, kNewer, kInUse };

  Kind kind = Kind::kUnusable;
  std::string what;  // with what to do about it
};

/// An open file.  Threads: one at a time.
class StoreDatabase {
 public:
  struct Opened {
    std::unique_ptr<StoreDatabase> database;  // null: see trouble
    StoreTrouble trouble;
  };

  /// Opens `path`, makes the tables where there are none.  The file is this process' own until the
  /// object goes.
  static Opened open(const std::string& path);
  ~StoreDatabase();
  StoreDatabase(const StoreDatabase&) = delete;
  StoreDatabase& operator=(const StoreDatabase&) = delete;

  /// All in one transaction: all of it, or nothing.
  std::optional<StoreTrouble> write(const StoredServer& server, EventTime oldest_hour);
  std::optional<StoreTrouble> acknowledge(const std::string& finding,
                                          const Acknowledgement& acknowledgement);

  /// An earlier process wrote to it.
  [[nodiscard]] bool in_use_before();

  std::optional<StoreTrouble> read(const std::string& server, EventTime oldest_hour,
                                   StoredServer& into);
  std::optional<StoreTrouble> write_deploys(const std::vector<Deploy>& deploys);
  std::optional<StoreTrouble> read_deploys(std::vector<Deploy>& into);
  std::optional<StoreTrouble> read_hours(const std::string& finding, std::vector<StoredHour>& into);

 private:
  StoreDatabase(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  static const char* const kDeployTable;

  std::optional<StoreTrouble> prepare_file();
  std::optional<StoreTrouble> run(const char* sql);
  void write_sources(const StoredServer& server);
  void write_findings(const StoredServer& server, EventTime oldest_hour);
  void write_acknowledgement(const std::string& finding, const Acknowledgement& acknowledgement);
  void write_statements(const StoredServer& server);
  void read_sources(StoredServer& into);
  void read_findings(StoredServer& into);
  void read_statements(StoredServer& into);
  [[nodiscard]] StoreTrouble trouble() const;

  sqlite3* handle_;
  std::string path_;
};

}  // namespace ectoscope
