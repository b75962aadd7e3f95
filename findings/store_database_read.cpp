#include <nlohmann/json.hpp>
#include <utility>

#include "findings/position_codec.h"
#include "findings/sqlite_statement.h"
#include "findings/store_codec.h"
#include "findings/store_database.h"

namespace ectoscope {

std::optional<StoreTrouble> StoreDatabase::read_deploys(std::vector<Deploy>& into) {
  if (auto trouble = run(kDeployTable)) return trouble;
  try {
    SqliteStatement deploys(handle_,
                            "SELECT at, version, application FROM deploy ORDER BY at DESC");
    while (deploys.step())
      into.push_back({time_at(deploys.integer(0)), deploys.text(1), deploys.text(2)});
  } catch (const SqliteFailed&) {
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
    SqliteStatement hours(handle_,
                          "SELECT h.* FROM history h JOIN finding f ON f.id = h.finding"
                          " WHERE f.server = ? AND h.hour >= ? ORDER BY h.finding, h.hour");
    hours.bind(server).bind(micros(oldest_hour));
    while (hours.step()) {
      into.hours.push_back(
          {hours.text(0), time_at(hours.integer(1)), static_cast<uint64_t>(hours.integer(2)),
           static_cast<uint64_t>(hours.integer(3)), static_cast<uint64_t>(hours.integer(4)),
           Micros(hours.integer(5)), Micros(hours.integer(6))});
    }
  } catch (const SqliteFailed&) {
    return trouble();
  } catch (const nlohmann::json::exception&) {
    return StoreTrouble{StoreTrouble::Kind::kCorrupt, path_ + ": damaged"};
  }
  return std::nullopt;
}

void StoreDatabase::read_sources(StoredServer& into) {
  SqliteStatement get(
      handle_, "SELECT source, files, uncounted, open, writes FROM checkpoint WHERE server = ?");
  get.bind(into.server);
  while (get.step()) {
    SourceCheckpoint source;
    source.pattern = get.text(0);
    source.files = decode_files(get.text(1));
    source.uncounted = decode_positions(get.text(2));
    source.open = decode_positions(get.text(3));
    source.writes = decode_positions(get.text(4));
    into.sources.push_back(std::move(source));
  }
}

void StoreDatabase::read_findings(StoredServer& into) {
  SqliteStatement get(
      handle_,
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
    decode_life(get.text(6), finding);
    if (get.integer(7) != 0)
      finding.acknowledged = {time_at(get.integer(7)), get.text(8), get.text(9)};
    into.findings.push_back(std::move(finding));
  }
}

void StoreDatabase::read_statements(StoredServer& into) {
  SqliteStatement get(handle_,
                      "SELECT database, text, executions, facts FROM statement WHERE server = ?");
  get.bind(into.server);
  while (get.step()) {
    StoredStatement statement;
    statement.database = get.text(0);
    statement.text = get.text(1);
    statement.durations.count = static_cast<uint64_t>(get.integer(2));
    decode_facts(get.text(3), statement);
    into.statements.push_back(std::move(statement));
  }
}

std::optional<StoreTrouble> StoreDatabase::read_hours(const std::string& finding,
                                                      std::vector<StoredHour>& into) {
  try {
    SqliteStatement get(handle_, "SELECT * FROM history WHERE finding = ? ORDER BY hour");
    get.bind(finding);
    while (get.step()) {
      into.push_back({finding, time_at(get.integer(1)), static_cast<uint64_t>(get.integer(2)),
                      static_cast<uint64_t>(get.integer(3)), static_cast<uint64_t>(get.integer(4)),
                      Micros(get.integer(5)), Micros(get.integer(6))});
    }
  } catch (const SqliteFailed&) {
    return trouble();
  }
  return std::nullopt;
}

}  // namespace ectoscope
