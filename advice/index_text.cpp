#include "advice/index_text.h"

#include <algorithm>

#include "advice/ecto_names.h"

namespace ectoscope {
namespace {

constexpr size_t kMaxName = 63;  // PostgreSQL cuts a longer one

bool word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// An expression, or a column with an operator class: nothing to be quoted.
bool is_expression(std::string_view column) {
  return column.find('(') != std::string_view::npos || column.find(' ') != std::string_view::npos;
}

std::string sql_name(std::string_view name) {
  const bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
                     std::all_of(name.begin(), name.end(),
                                 [](char c) { return word_char(c) && !(c >= 'A' && c <= 'Z'); });
  // Words that PostgreSQL reserves and schemas like.
  constexpr std::string_view kReserved[] = {
      "user",  "order",   "group", "table", "column", "end",   "limit", "offset",    "select",
      "check", "default", "desc",  "from",  "to",     "where", "all",   "references"};
  const bool reserved =
      std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved);
  if (plain && !reserved) return std::string(name);
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  return quoted + '"';
}

std::string_view prefix_of(std::string_view table) {
  const std::string_view bare = without_prefix(table);
  return bare.size() == table.size() ? std::string_view{}
                                     : table.substr(0, table.size() - bare.size() - 1);
}

std::string sql_table(std::string_view table) {
  const std::string_view prefix = prefix_of(table);
  return (prefix.empty() ? "" : sql_name(prefix) + ".") + sql_name(without_prefix(table));
}

std::string elixir_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '#') result.push_back('\\');
    result.push_back(c);
  }
  return result + '"';
}

/// Other than a plain column would be.
bool turned(const IndexAdvice& index, size_t i) {
  return i < index.order.size() && index.order[i] != "asc";
}

std::string upper_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

std::string sql_column(const IndexAdvice& index, size_t i) {
  const std::string& column = index.columns[i];
  std::string text = is_expression(column) ? column : sql_name(column);
  // A bare operator needs brackets of its own in CREATE INDEX; a call does not.
  if (turned(index, i)) text += " " + upper_case(index.order[i]);
  return text;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts)
    text += (text.empty() ? "" : ", ") + part;
  return text;
}

/// What Ecto makes of a list of columns.
std::string derived_name(const IndexAdvice& index) {
  std::string name(without_prefix(index.table));
  for (const std::string& column : index.columns)
    name += "_" + column;
  std::string clean;
  for (const char c : name) {
    const char kept = word_char(c) ? c : '_';
    if (kept != '_' || !clean.ends_with('_')) clean.push_back(kept);
  }
  while (clean.ends_with('_'))
    clean.pop_back();
  return clean + "_index";
}

bool needs_name(const IndexAdvice& index) {
  return derived_name(index).size() > kMaxName || index.where ||
         std::any_of(index.columns.begin(), index.columns.end(),
                     [](const std::string& column) { return is_expression(column); }) ||
         std::any_of(index.order.begin(), index.order.end(),
                     [](const std::string& order) { return order != "asc"; });
}

std::string camel(std::string_view name) {
  std::string text;
  bool start = true;
  for (const char c : name) {
    if (c != '_') text.push_back(start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
    start = c == '_';
  }
  return text;
}

std::string module(std::string_view name, const std::string& body) {
  return "defmodule MyApp.Repo.Migrations.Add" + camel(name) +
         " do\n  use Ecto.Migration\n\n  @disable_ddl_transaction true\n"
         "  @disable_migration_lock true\n\n" +
         body + "end";
}

std::string name_of(const IndexAdvice& index, const IndexBuild& build) {
  return build.name.empty() ? index_name(index) : build.name;
}

/// "(user_id, at) INCLUDE (id) WHERE ...", with the method before it.
std::string sql_definition(const IndexAdvice& index, const IndexBuild& build) {
  std::vector<std::string> columns;
  for (size_t i = 0; i < index.columns.size(); ++i)
    columns.push_back(sql_column(index, i));
  std::string sql = build.method.empty() ? "" : "USING " + build.method + " ";
  sql += "(" + joined(columns) + ")";
  if (!index.include.empty()) {
    std::vector<std::string> include;
    for (const std::string& column : index.include)
      include.push_back(sql_name(column));
    sql += " INCLUDE (" + joined(include) + ")";
  }
  if (index.where) sql += " WHERE " + *index.where;
  return sql;
}

/// "[:user_id, :at]" and all options but `name:` and `concurrently:`.
struct EctoDefinition {
  std::string columns;
  std::string options;
};

EctoDefinition ecto_definition(const IndexAdvice& index, const IndexBuild& build) {
  std::vector<std::string> columns;
  for (size_t i = 0; i < index.columns.size(); ++i) {
    // A string, not desc_nulls_last: and the like, which older versions of Ecto do not know.
    const bool text = is_expression(index.columns[i]) || turned(index, i);
    columns.push_back(text ? elixir_string(sql_column(index, i)) : atom(index.columns[i]));
  }
  std::string options;
  if (!build.method.empty()) options += ", using: " + atom(build.method);
  if (const std::string_view prefix = prefix_of(index.table); !prefix.empty()) {
    options += ", prefix: " + elixir_string(prefix);
  }
  if (!index.include.empty()) {
    std::vector<std::string> include;
    for (const std::string& column : index.include)
      include.push_back(atom(column));
    options += ", include: [" + joined(include) + "]";
  }
  if (index.where) options += ", where: " + elixir_string(*index.where);
  return {"[" + joined(columns) + "]", std::move(options)};
}

/// "_vehicle_no_index": what a partition's index is called behind its name.
std::string name_behind_table(const IndexAdvice& index, const IndexBuild& build) {
  const std::string name = name_of(index, build);
  const std::string_view table = without_prefix(index.table);
  return name.starts_with(table) ? name.substr(table.size()) : "_" + name;
}

constexpr size_t kListed = 8;  // partitions that are spelt out in SQL

std::string partitioned_sql(const IndexAdvice& index, const IndexBuild& build) {
  const std::string name = sql_name(name_of(index, build));
  const std::string definition = sql_definition(index, build);
  const std::string_view prefix = prefix_of(index.table);
  const std::string schema = prefix.empty() ? "" : sql_name(prefix) + ".";
  std::string sql =
      "CREATE INDEX " + name + " ON ONLY " + sql_table(index.table) + " " + definition + ";";
  for (size_t i = 0; i < build.partitions.size() && i < kListed; ++i) {
    const std::string& partition = build.partitions[i];
    const std::string part = sql_name(partition + name_behind_table(index, build));
    sql.append("\nCREATE INDEX CONCURRENTLY ").append(part).append(" ON ").append(schema);
    sql.append(sql_name(partition)).append(" ").append(definition);
    sql.append(";\nALTER INDEX ").append(schema).append(name).append(" ATTACH PARTITION ");
    sql.append(schema).append(part).append(";");
  }
  return sql + "\n-- and so for each other partition: the index is valid when all are attached";
}

std::string partitioned_migration(const IndexAdvice& index, const IndexBuild& build) {
  const EctoDefinition definition = ecto_definition(index, build);
  const std::string name = name_of(index, build);
  const std::string table = atom(without_prefix(index.table));
  const std::string behind = name_behind_table(index, build);
  const std::string_view prefix = prefix_of(index.table);
  const std::string schema = prefix.empty() ? "" : std::string(prefix) + ".";
  std::string partitions;
  for (const std::string& partition : build.partitions)
    partitions += (partitions.empty() ? "" : " ") + partition;
  const std::string on_parent =
      table + ", " + definition.columns + ", name: " + atom(name) + definition.options;
  std::string body = "  # All of them: those that the plan did not read, too.\n";
  body.append("  @partitions ~w(").append(partitions).append(")\n\n  def up do\n");
  if (!build.extension.empty()) {
    body.append("    execute \"CREATE EXTENSION IF NOT EXISTS ").append(build.extension);
    body.append("\"\n");
  }
  body.append("    create index(").append(on_parent).append(", only: true)\n\n");
  body.append("    for partition <- @partitions do\n      create index(partition, ");
  body.append(definition.columns).append(", name: \"#{partition}").append(behind).append("\"");
  body.append(definition.options).append(", concurrently: true)\n      execute \"ALTER INDEX ");
  body.append(schema).append(name).append(" ATTACH PARTITION ").append(schema);
  body.append("#{partition}").append(behind).append("\"\n    end\n  end\n\n");
  body.append("  def down do\n    drop index(").append(on_parent).append(")\n  end\n");
  return module(name, body);
}

}  // namespace

std::string index_name(const IndexAdvice& index) {
  std::string name = derived_name(index);
  if (index.where) name.insert(name.size() - std::string_view("index").size(), "partial_");
  if (name.size() <= kMaxName) return name;
  constexpr std::string_view kEnd = "_index";
  name.resize(kMaxName - kEnd.size());
  return name + std::string(kEnd);
}

std::string create_index_sql(const IndexAdvice& index, const IndexBuild& build) {
  const std::string before =
      build.extension.empty() ? "" : "CREATE EXTENSION IF NOT EXISTS " + build.extension + ";\n";
  if (!build.partitions.empty()) return before + partitioned_sql(index, build);
  return before + "CREATE INDEX CONCURRENTLY " + sql_name(name_of(index, build)) + " ON " +
         sql_table(index.table) + " " + sql_definition(index, build) + ";";
}

std::string create_index_ecto(const IndexAdvice& index, const IndexBuild& build) {
  const EctoDefinition definition = ecto_definition(index, build);
  std::string code =
      "create index(" + atom(without_prefix(index.table)) + ", " + definition.columns;
  if (needs_name(index)) code += ", name: " + atom(name_of(index, build));
  return code + definition.options + ", concurrently: true)";
}

std::string index_migration(const IndexAdvice& index, const IndexBuild& build,
                            std::string_view replaced) {
  if (!build.partitions.empty()) return partitioned_migration(index, build);
  std::string body = "  def change do\n";
  if (!build.extension.empty()) {
    body += "    execute \"CREATE EXTENSION IF NOT EXISTS " + build.extension + "\", \"\"\n";
  }
  body += "    " + create_index_ecto(index, build) + "\n";
  if (!replaced.empty()) {
    body += "    # " + std::string(replaced) +
            " is the beginning of it; once nothing uses it:\n    # drop index(" +
            atom(without_prefix(index.table)) + ", [], name: " + atom(replaced) +
            ", concurrently: true)\n";
  }
  return module(name_of(index, build), body + "  end\n");
}

std::string column_with(std::string_view column, std::string_view operator_class) {
  return sql_name(column) + " " + std::string(operator_class);
}

IndexAdvice trigram_index(std::string_view table, const std::vector<std::string>& columns) {
  IndexAdvice index{std::string(table), {}, {}, {}, std::nullopt};
  for (const std::string& column : columns) {
    index.columns.push_back(column_with(column, "gin_trgm_ops"));
    index.order.emplace_back("asc");
  }
  return index;
}

IndexBuild trigram_build(std::string_view table, const std::vector<std::string>& columns) {
  std::string name(without_prefix(table));
  for (const std::string& column : columns)
    name += "_" + column;
  constexpr std::string_view kEnd = "_trgm_index";
  name.resize(std::min(name.size(), kMaxName - kEnd.size()));
  return {.method = "gin", .name = name + std::string(kEnd), .extension = "pg_trgm"};
}

}  // namespace ectoscope
