// The connection to one server: its counters, its catalog, its planner.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "core/database.h"
#include "core/hash.h"
#include "core/snapshot.h"
#include "daemon/server_knowledge.h"
#include "daemon/statement_source.h"
#include "findings/finding_book.h"

namespace ectoscope {

/// Makes a connection; `database` is instead of the DSN's where it is not empty.
using ConnectServer = std::function<std::unique_ptr<Database>(const PostgresConfig& postgres,
                                                              const std::string& database)>;

/// The real one, by platform/.
std::unique_ptr<Database> connect_postgres(const PostgresConfig& postgres,
                                           const std::string& database);

/// Threads: made, started and stopped by one; the rest from any.
class ServerLink {
 public:
  /// `queries` must outlive it.
  ServerLink(const ServerConfig& server, const ConnectServer& connect, QueryTable& queries,
             const HashKey& key, const LimitsConfig& limits);

  void start();
  void stop();

  /// For a book of findings; valid while the link lives.
  FindingHooks hooks();

  /// What the polls since the last call brought, of the databases that are looked at.
  std::vector<DatabaseSamples> take(InputFidelity::Statements log);

  /// nullopt where nothing is polled.
  [[nodiscard]] std::optional<SourceState> state() const;
  [[nodiscard]] bool tried() const { return source_ == nullptr || source_->tried(); }
  [[nodiscard]] std::map<std::string, uint64_t> dropped() const;
  /// Changes whenever there is something new to show.
  [[nodiscard]] uint64_t news() const;

 private:
  std::vector<std::string> databases_;
  std::unique_ptr<StatementSource> source_;     // null: not wanted
  std::unique_ptr<ServerKnowledge> knowledge_;  // never null
};

}  // namespace ectoscope
