#include "ingest/pg_stat_statements.h"

#include <charconv>

namespace ectoscope {
namespace {

/// An expression's value in whole microseconds.
std::string micros(std::string_view timestamp) {
  return "(extract(epoch FROM " + std::string(timestamp) + ") * 1000000)::bigint";
}

uint64_t count_in(const std::optional<std::string_view>& field) {
  const int64_t number = number_in(field);
  return number < 0 ? 0 : static_cast<uint64_t>(number);
}

}  // namespace

int64_t number_in(const std::optional<std::string_view>& field) {
  int64_t number = 0;
  if (field) std::from_chars(field->data(), field->data() + field->size(), number);
  return number;
}

std::optional<StatementsVersion> StatementsVersion::parse(std::string_view text) {
  StatementsVersion version;
  const char* const end = text.data() + text.size();
  const auto [dot, bad_major] = std::from_chars(text.data(), end, version.major);
  if (bad_major != std::errc() || dot == end || *dot != '.') return std::nullopt;
  const auto [rest, bad_minor] = std::from_chars(dot + 1, end, version.minor);
  if (bad_minor != std::errc() || rest != end) return std::nullopt;
  if (version.major != 1 || version.minor < 4) return std::nullopt;
  return version;
}

std::string reading_query(StatementsVersion version, const std::string& schema) {
  std::string query = "SELECT " + micros("pg_catalog.clock_timestamp()") + ", " +
                      micros("pg_catalog.pg_postmaster_start_time()");
  if (!version.has_info()) return query + ", NULL";
  return query + ", " + micros("stats_reset") + " FROM " + schema + ".pg_stat_statements_info";
}

StatementReading read_reading(DatabaseRow row) {
  StatementReading reading;
  if (row.size() < 3) return reading;
  reading.now_us = number_in(row[0]);
  reading.started_us = number_in(row[1]);
  if (row[2]) reading.reset_us = number_in(row[2]);
  return reading;
}

std::string statements_query(StatementsVersion version, const std::string& schema,
                             const std::string& own_role) {
  // Times as whole microseconds: shorter on the wire, exact to subtract.
  std::string query = "SELECT userid, dbid, queryid, calls, rows, (" +
                      std::string(version.total_time()) +
                      " * 1000)::bigint, shared_blks_read, temp_blks_written";
  if (version.has_since()) query += ", " + micros("stats_since");
  query += " FROM " + schema + ".pg_stat_statements(false) WHERE userid <> " + own_role;
  // What a function runs is in the time of the statement that called it.
  if (version.has_toplevel()) query += " AND toplevel";
  return query;
}

std::optional<StatementRow> read_statement(DatabaseRow row) {
  // Without pg_read_all_stats other users' entries have no queryid.
  if (row.size() < 8 || !row[2]) return std::nullopt;
  StatementRow statement;
  statement.key = {static_cast<uint32_t>(number_in(row[0])),
                   static_cast<uint32_t>(number_in(row[1])), number_in(row[2])};
  statement.counters = {count_in(row[3]), count_in(row[4]), count_in(row[5]), count_in(row[6]),
                        count_in(row[7])};
  if (row.size() > 8) statement.since_us = number_in(row[8]);
  return statement;
}

std::string texts_query(const std::string& schema, std::span<const int64_t> queryids) {
  std::string query = "SELECT dbid, queryid, query FROM " + schema + ".pg_stat_statements(true)";
  query += " WHERE query IS NOT NULL";
  if (queryids.empty()) return query;
  query += " AND queryid = ANY ('{";
  for (size_t i = 0; i < queryids.size(); ++i)
    query += (i == 0 ? "" : ",") + std::to_string(queryids[i]);
  return query + "}'::bigint[])";
}

}  // namespace ectoscope
