#include <algorithm>
#include <string>
#include <vector>

#include "advice/ddl_text.h"
#include "advice/ecto_names.h"
#include "advice/ecto_parts.h"
#include "advice/incident_fixes.h"
#include "core/ddl.h"

namespace ectoscope {
namespace {

constexpr std::string_view kNoTransaction =
    "@disable_ddl_transaction true\n@disable_migration_lock true\n\n";

std::string in_change(const std::string& body) {
  return "def change do\n  " + body + "\nend";
}

bool is_plain(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string text_literal(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

/// The type as a migration writes it.
std::string migration_type(const std::string& type) {
  struct Type {
    std::string_view sql;
    std::string_view ecto;
  };
  constexpr Type kTypes[] = {{"varchar", ":string"},
                             {"text", ":text"},
                             {"bigint", ":bigint"},
                             {"integer", ":integer"},
                             {"int", ":integer"},
                             {"boolean", ":boolean"},
                             {"uuid", ":uuid"},
                             {"numeric", ":decimal"},
                             {"jsonb", ":map"},
                             {"timestamp", ":naive_datetime"},
                             {"timestamptz", ":utc_datetime"},
                             {"date", ":date"},
                             {"bigserial", ":bigserial"},
                             {"bytea", ":binary"}};
  for (const Type& known : kTypes)
    if (known.sql == type) return std::string(known.ecto);
  return type.empty() ? ":type" : atom(type);
}

std::string index_call(const IndexDefinition& index, bool unique) {
  std::string columns;
  std::string default_name = index.table;
  for (const std::string& column : index.columns) {
    if (!columns.empty()) columns += ", ";
    columns += is_plain(column) ? atom(column) : text_literal(column);
    default_name += "_" + column;
  }
  default_name += "_index";
  std::string call = unique ? "unique_index(" : "index(";
  call += atom(index.table) + ", [" + columns + "]";
  if (!index.name.empty() && index.name != default_name) call += ", name: " + atom(index.name);
  if (!index.method.empty()) call += ", using: " + text_literal(index.method);
  if (!index.where.empty()) {
    // A value in it is not known here: the shape has $1 in its place.
    call += index.where.find('$') == std::string::npos ? ", where: " + text_literal(index.where)
                                                       : std::string(", where: \"...\"");
  }
  return call + ", concurrently: true)";
}

Fix concurrent_index(const Query& query) {
  Fix fix;
  const IndexDefinition index = index_of(query.text);
  fix.advice =
      "Build the index concurrently, in a migration of its own and outside a transaction: writes "
      "to "
      "the table go on meanwhile.";
  const std::string call = index.table.empty() ? "index(:table, [:column], concurrently: true)"
                                               : index_call(index, index.unique);
  fix.migration = std::string(kNoTransaction) + in_change("create " + call);
  if (const size_t at = query.text.find("INDEX"); at != std::string::npos) {
    fix.sql = query.text.substr(0, at + 5) + " CONCURRENTLY" + query.text.substr(at + 5);
  }
  return fix;
}

Fix drop_index(const Query& query) {
  Fix fix;
  const std::string name = name_after(ddl_words(query.text), {"INDEX"});
  fix.advice = "Drop the index concurrently, outside a transaction.";
  fix.migration =
      std::string(kNoTransaction) +
      in_change("drop index(:table, [:column], name: " + (name.empty() ? ":name" : atom(name)) +
                ", concurrently: true)");
  return fix;
}

struct Names {
  std::string table;
  std::string column;
  std::string type;
  std::string constraint;
};

Names names_of(const Query& query, std::string_view verb) {
  const std::vector<DdlWord> words = ddl_words(query.text);
  const ColumnChange change = column_change(words, verb);
  return {std::string(table_of(query)), change.column, change.type,
          name_after(words, {"CONSTRAINT"})};
}

/// `note` stands behind the column.
std::string add_column(const std::string& table, const std::string& column, const std::string& type,
                       const std::string& note = "") {
  return in_change("alter table(" + atom(table) + ") do\n    add " + atom(column) + ", " +
                   migration_type(type) + note + "\n  end");
}

Fix volatile_default(const Query& query) {
  Fix fix;
  const Names it = names_of(query, "ADD");
  fix.advice =
      "Add the column without a default, fill it in batches, and only then set the default and "
      "NOT NULL: a default that differs from row to row rewrites the table under an exclusive "
      "lock.";
  fix.migration = add_column(it.table, it.column, it.type, "  # no default, null allowed") +
                  "\n\n# next: fill it in batches, outside a migration's transaction\n"
                  "# then:\nexecute \"ALTER TABLE " +
                  it.table + " ALTER COLUMN " + it.column + " SET DEFAULT ...\"";
  return fix;
}

Fix change_type(const Query& query) {
  Fix fix;
  const Names it = names_of(query, "ALTER");
  const std::string fresh = it.column + "_new";
  fix.advice =
      "Add a column of the new type, write to both, fill it in batches, then read from the new one "
      "and drop the old: changing a type rewrites the table under an exclusive lock. (varchar to "
      "text, or a longer varchar, is free and not meant.)";
  fix.migration = add_column(it.table, fresh, it.type) +
                  "\n\n# in the schema, once it is filled:\nfield " + atom(it.column) + ", " +
                  migration_type(it.type) + ", source: " + atom(fresh);
  return fix;
}

Fix set_not_null(const Query& query) {
  Fix fix;
  const Names it = names_of(query, "ALTER");
  const std::string name = it.column + "_not_null";
  fix.advice =
      "Add a check constraint that is not validated, validate it in the next migration (which "
      "locks "
      "nobody out), and then set NOT NULL: PostgreSQL trusts the constraint and scans nothing.";
  fix.migration =
      in_change("create constraint(" + atom(it.table) + ", " + atom(name) +
                ", check: " + text_literal(it.column + " IS NOT NULL") + ", validate: false)") +
      "\n\n# next migration\ndef up do\n  execute \"ALTER TABLE " + it.table +
      " VALIDATE CONSTRAINT " + name + "\"\n  execute \"ALTER TABLE " + it.table +
      " ALTER COLUMN " + it.column + " SET NOT NULL\"\n  drop constraint(" + atom(it.table) + ", " +
      atom(name) + ")\nend";
  return fix;
}

std::string validate(const Names& it) {
  return "\n\n# next migration\nexecute \"ALTER TABLE " + it.table + " VALIDATE CONSTRAINT " +
         (it.constraint.empty() ? "..." : it.constraint) + "\", \"\"";
}

Fix foreign_key(const Query& query) {
  Fix fix;
  Names it = names_of(query, "ADD");
  const std::vector<DdlWord> words = ddl_words(query.text);
  const std::string target = name_after(words, {"REFERENCES"});
  const auto key = std::adjacent_find(words.begin(), words.end(), [](const auto& a, const auto& b) {
    return a.is("KEY") && b.bracket;
  });
  const bool of_table = key != words.end();
  if (of_table)
    it.column = split_list((key + 1)->text).empty() ? "" : split_list((key + 1)->text)[0];
  fix.advice =
      "Add the foreign key without validating it, and validate it in the next migration: checking "
      "all rows at once keeps writes to both tables waiting.";
  fix.migration =
      in_change("alter table(" + atom(it.table) + ") do\n    " + (of_table ? "modify " : "add ") +
                (it.column.empty() ? ":column" : atom(it.column)) + ", references(" +
                (target.empty() ? ":table" : atom(target)) + ", validate: false)\n  end") +
      validate(it);
  return fix;
}

Fix check(const Query& query) {
  Fix fix;
  const Names it = names_of(query, "ADD");
  fix.advice =
      "Add the constraint without validating it, and validate it in the next migration: the scan "
      "of all rows then locks nobody out.";
  fix.migration = in_change("create constraint(" + atom(it.table) + ", " +
                            (it.constraint.empty() ? ":name" : atom(it.constraint)) +
                            ", check: \"...\", validate: false)") +
                  validate(it);
  return fix;
}

Fix unique(const Query& query) {
  Fix fix;
  const Names it = names_of(query, "ADD");
  const std::vector<DdlWord> words = ddl_words(query.text);
  const auto bracket =
      std::find_if(words.begin(), words.end(), [](const DdlWord& word) { return word.bracket; });
  IndexDefinition index;
  index.table = it.table;
  index.name = it.constraint.empty() ? it.table + "_key" : it.constraint;
  if (bracket != words.end()) index.columns = split_list(bracket->text);
  fix.advice =
      "Build the unique index concurrently first; the constraint then takes it over in no time.";
  fix.migration = std::string(kNoTransaction) + in_change("create " + index_call(index, true)) +
                  "\n\n# next migration\nexecute \"ALTER TABLE " + it.table + " ADD CONSTRAINT " +
                  index.name + " UNIQUE USING INDEX " + index.name + "\", \"\"";
  return fix;
}

Fix rename(const Query& query) {
  Fix fix;
  const std::vector<DdlWord> words = ddl_words(query.text);
  const std::string fresh = name_after(words, {"TO"});
  const std::string column = column_change(words, "RENAME").column;
  fix.advice =
      "Leave the name in the database and give it another one in the schema: nodes that still run "
      "the old code ask for the old name until the last of them is gone.";
  const bool of_table = words.size() > 1 && name_after(words, {"RENAME", "TO"}) == fresh;
  fix.ecto = of_table ? "schema \"" + std::string(table_of(query)) + "\" do  # under the new module"
                      : "field " + (fresh.empty() ? ":new" : atom(fresh)) +
                            ", :type, source: " + (column.empty() ? ":old" : atom(column));
  return fix;
}

Fix rewrite(const Query& query) {
  Fix fix;
  if (query.text.find("MATERIALIZED") != std::string::npos) {
    fix.advice =
        "Refresh it concurrently (it needs a unique index), so that it can be read "
        "meanwhile.";
    fix.migration =
        "execute \"REFRESH MATERIALIZED VIEW CONCURRENTLY " + std::string(table_of(query)) + "\"";
  } else {
    fix.advice =
        "Use the form that does not lock the table: REINDEX CONCURRENTLY, or pg_repack "
        "instead of VACUUM FULL and CLUSTER.";
  }
  return fix;
}

Fix change_data(const Query& query) {
  Fix fix;
  const std::string table(table_of(query));
  fix.advice =
      "Change data outside the migration's transaction, in batches, and by table name instead of "
      "the schema, which will have changed when this migration runs again in a year.";
  fix.migration = std::string(kNoTransaction) +
                  "def up do\n  # until nothing is left; short transactions, no lock for long\n"
                  "  from(" +
                  binding(table) + " in \"" + table + "\", where: " + binding(table) +
                  ".id in subquery(next_batch))\n  |> repo().update_all(set: [...])\nend\n\n"
                  "def down, do: :ok";
  return fix;
}

}  // namespace

Fix migration_fix(const AdviceRequest& request) {
  if (request.query == nullptr) return {};
  const Query& query = *request.query;
  struct Form {
    uint16_t bit;
    Fix (*fix)(const Query&);
  };
  // Of several in one statement the one that holds its lock the longest speaks.
  constexpr Form kForms[] = {{kDdlVolatileDefault, volatile_default},
                             {kDdlChangesType, change_type},
                             {kDdlRewrites, rewrite},
                             {kDdlBuildsIndex, concurrent_index},
                             {kDdlUnique, unique},
                             {kDdlForeignKey, foreign_key},
                             {kDdlCheck, check},
                             {kDdlSetsNotNull, set_not_null},
                             {kDdlDropsIndex, drop_index},
                             {kDdlRenames, rename}};
  for (const Form& form : kForms)
    if ((query.ddl & form.bit) != 0) return form.fix(query);
  return change_data(query);
}

}  // namespace ectoscope
