#include "daemon/catalog_reader.h"

#include <charconv>
#include <cstdlib>
#include <optional>

namespace ectoscope {
namespace {

// `shown` is how a statement names the table: bare where the search path finds it.
constexpr std::string_view kShown =
    "WITH shown AS MATERIALIZED (SELECT c.oid, c.reltuples, c.relpages, n.nspname, c.relname,"
    " CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN c.relname::text"
    " ELSE n.nspname || '.' || c.relname END AS name"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_'"
    " AND n.nspname <> 'information_schema' ORDER BY c.relpages DESC, c.oid LIMIT 10000) ";

constexpr std::string_view kTables =
    "SELECT name, reltuples, relpages::bigint * current_setting('block_size')::bigint FROM shown";

constexpr std::string_view kColumns =
    "SELECT t.name, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),"
    " CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * t.reltuples ELSE s.n_distinct END"
    " FROM shown t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid"
    " LEFT JOIN pg_catalog.pg_stats s ON s.schemaname = t.nspname AND s.tablename = t.relname"
    " AND s.attname = a.attname AND NOT s.inherited"
    " WHERE a.attnum > 0 AND NOT a.attisdropped";

// A row a column, in its order; expressions as PostgreSQL prints them.
constexpr std::string_view kIndexes =
    "SELECT t.name, c.relname, m.amname, i.indisunique, i.indisvalid,"
    " pg_catalog.pg_get_expr(i.indpred, i.indrelid, true), k.at > i.indnkeyatts,"
    " coalesce(a.attname::text, pg_catalog.pg_get_indexdef(i.indexrelid, k.at, true)),"
    " coalesce(i.indoption[k.at - 1] & 1, 0), coalesce(i.indoption[k.at - 1] & 2, 0)"
    " FROM shown t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid"
    " JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
    " JOIN pg_catalog.pg_am m ON m.oid = c.relam"
    " CROSS JOIN LATERAL (SELECT pg_catalog.generate_series(1, i.indnatts::int) AS at) k"
    " LEFT JOIN LATERAL (SELECT attname FROM pg_catalog.pg_attribute"
    " WHERE attrelid = i.indrelid AND attnum = i.indkey[k.at - 1]) a ON true"
    " ORDER BY t.name, c.relname, k.at";

constexpr std::string_view kForeignKeys =
    "SELECT f.conname, t.name, r.name, a.attname, b.attname"
    " FROM pg_catalog.pg_constraint f JOIN shown t ON t.oid = f.conrelid"
    " JOIN shown r ON r.oid = f.confrelid"
    " CROSS JOIN LATERAL unnest(f.conkey, f.confkey) WITH ORDINALITY AS k (own, other, at)"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.own"
    " JOIN pg_catalog.pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.other"
    " WHERE f.contype = 'f' ORDER BY t.name, f.conname, k.at";

std::string text_of(const std::optional<std::string_view>& field) {
  return std::string(field.value_or(""));
}

std::optional<double> real_in(const std::optional<std::string_view>& field) {
  if (!field) return std::nullopt;
  double number = 0;
  const auto [end, bad] = std::from_chars(field->data(), field->data() + field->size(), number);
  return bad == std::errc() ? std::optional<double>(number) : std::nullopt;
}

void add_index_column(DatabaseRow row, Catalog& catalog) {
  const auto table = catalog.tables.find(row[0].value_or(""));
  if (table == catalog.tables.end()) return;
  auto& indexes = table->second.indexes;
  if (indexes.empty() || indexes.back().name != *row[1]) {
    CatalogIndex index;
    index.name = text_of(row[1]);
    index.method = text_of(row[2]);
    index.unique = row[3] == "t";
    index.valid = row[4] == "t";
    index.where = text_of(row[5]);
    indexes.push_back(std::move(index));
  }
  CatalogIndex& index = indexes.back();
  if (row[6] == "t") {
    index.include.push_back(text_of(row[7]));
  } else {
    index.columns.push_back(text_of(row[7]));
    index.descending.push_back(row[8] == "1");
    index.nulls_first.push_back(row[9] == "2");
  }
}

void add_key_column(DatabaseRow row, Catalog& catalog) {
  auto& keys = catalog.foreign_keys;
  if (keys.empty() || keys.back().constraint != *row[0] || keys.back().table != *row[1]) {
    keys.push_back({text_of(row[0]), text_of(row[1]), {}, text_of(row[2]), {}});
  }
  keys.back().columns.push_back(text_of(row[3]));
  keys.back().referenced_columns.push_back(text_of(row[4]));
}

}  // namespace

std::string quote_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string quote_table(std::string_view name) {
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return quote_name(name);
  return quote_name(name.substr(0, dot)) + "." + quote_name(name.substr(dot + 1));
}

std::variant<Catalog, DatabaseError> read_catalog(Database& database) {
  Database::Begun begun = database.begin();
  if (!begun.transaction) return begun.error;
  Catalog catalog;
  const auto ask = [&](std::string_view sql, const DatabaseRowHandler& on_row) {
    return begun.transaction->stream(std::string(kShown) + std::string(sql), on_row);
  };
  if (auto error = ask(kTables, [&catalog](DatabaseRow row) {
        CatalogTable& table = catalog.tables[text_of(row[0])];
        table.rows = real_in(row[1]).value_or(-1);
        table.bytes = static_cast<uint64_t>(real_in(row[2]).value_or(0));
      })) {
    return *error;
  }
  if (auto error = ask(kColumns, [&catalog](DatabaseRow row) {
        catalog.tables[text_of(row[0])].columns[text_of(row[1])] = {text_of(row[2]),
                                                                    real_in(row[3])};
      })) {
    return *error;
  }
  if (auto error = ask(kIndexes, [&catalog](DatabaseRow row) { add_index_column(row, catalog); })) {
    return *error;
  }
  if (auto error =
          ask(kForeignKeys, [&catalog](DatabaseRow row) { add_key_column(row, catalog); })) {
    return *error;
  }
  return catalog;
}

}  // namespace ectoscope
