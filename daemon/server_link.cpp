#include "daemon/server_link.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "advice/ecto_fix.h"
#include "advice/index_advice.h"
#include "advice/index_text.h"
#include "platform/postgres.h"

namespace ectoscope {
namespace {

std::chrono::milliseconds ms(Micros time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

Advisers advisers() {
  Advisers advisers;
  advisers.advise = [](const AdviceRequest& request, const Catalog* catalog) {
    return advise(request, catalog);
  };
  advisers.candidates = [](const AdviceRequest& request, const Catalog* catalog) {
    std::vector<IndexAdvice> indexes;
    for (IndexCandidate& candidate : index_candidates(request, catalog))
      indexes.push_back(std::move(candidate.index));
    return indexes;
  };
  advisers.create_sql = [](const IndexAdvice& index) { return create_index_sql(index); };
  return advisers;
}

std::unique_ptr<StatementSource> make_source(const ServerConfig& server,
                                             const ConnectServer& connect, QueryTable& queries,
                                             const HashKey& key, const LimitsConfig& limits) {
  if (!server.postgres.statements) return nullptr;
  StatementSource::Settings settings;
  settings.server = server.name;
  settings.polls.interval = ms(server.postgres.poll_interval);
  settings.polls.max_statements = server.postgres.max_statements;
  settings.polls.max_text_bytes = limits.max_statement_bytes;
  settings.sql.max_statement_bytes = limits.max_statement_bytes;
  settings.sql.tenant_schemas = server.input.tenant_schemas;
  return std::make_unique<StatementSource>(std::move(settings), connect(server.postgres, ""),
                                           queries, key);
}

}  // namespace

std::unique_ptr<Database> connect_postgres(const PostgresConfig& postgres,
                                           const std::string& database) {
  PostgresSettings settings;
  settings.dsn = postgres.dsn;
  settings.database = database;
  settings.connect_timeout = ms(postgres.connect_timeout);
  settings.statement_timeout = ms(postgres.statement_timeout);
  settings.lock_timeout = ms(postgres.lock_timeout);
  return make_postgres(std::move(settings));
}

ServerLink::ServerLink(const ServerConfig& server, const ConnectServer& connect,
                       QueryTable& queries, const HashKey& key, const LimitsConfig& limits)
    : databases_(server.databases), source_(make_source(server, connect, queries, key, limits)) {
  KnowledgeSettings settings;
  settings.hypopg = server.postgres.hypopg;
  knowledge_ = std::make_unique<ServerKnowledge>(
      [connect, postgres = server.postgres](const std::string& database) {
        return connect(postgres, database);
      },
      advisers(), settings);
}

void ServerLink::start() {
  if (source_) source_->start();
}

void ServerLink::stop() {
  if (source_) source_->stop();
}

FindingHooks ServerLink::hooks() {
  FindingHooks hooks;
  hooks.advise = [this](const AdviceRequest& request, const std::string& database) {
    return knowledge_->advise(request, database);
  };
  if (source_) {
    hooks.queryid = [this](QueryId query, const std::string& database) {
      return source_->queryid(query, database);
    };
  }
  return hooks;
}

std::vector<DatabaseSamples> ServerLink::take(InputFidelity::Statements log) {
  std::vector<DatabaseSamples> taken;
  if (!source_) return taken;
  for (StatementPoll& poll : source_->take()) {
    for (DatabaseSamples& samples : poll.databases) {
      if (!databases_.empty() &&
          std::find(databases_.begin(), databases_.end(), samples.database) == databases_.end()) {
        continue;
      }
      for (StatementSample& sample : samples.samples)
        sample.log = log;
      taken.push_back(std::move(samples));
    }
  }
  return taken;
}

std::optional<SourceState> ServerLink::state() const {
  if (!source_) return std::nullopt;
  return source_->state();
}

std::map<std::string, uint64_t> ServerLink::dropped() const {
  std::map<std::string, uint64_t> dropped;
  if (!source_) return dropped;
  for (const auto& [reason, count] : source_->dropped())
    dropped[reason] = count;
  return dropped;
}

uint64_t ServerLink::news() const {
  return (source_ ? source_->news() : 0) + knowledge_->news();
}

}  // namespace ectoscope
