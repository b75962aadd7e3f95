#include "advice/ecto_names.h"
#include "advice/ecto_parts.h"
#include "advice/ecto_sql.h"

namespace ectoscope {
namespace {

/// PostgreSQL takes 65535 parameters a statement.
constexpr const char* kChunks =
    " Cut long lists with Enum.chunk_every: PostgreSQL takes 65535 parameters a statement.";

std::string atoms(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names)
    list += std::string(list.empty() ? "" : ", ") + atom(name);
  return names.size() == 1 ? list : "[" + list + "]";
}

bool managed_by_ecto(std::string_view column) {
  return column == "updated_at" || column == "inserted_at" || column == "lock_version";
}

/// "set: [status: ^status, updated_at: ^now]", "inc: [stock: ^stock]".
std::string assignments(const std::vector<SetColumn>& columns) {
  std::string set;
  std::string inc;
  for (const SetColumn& column : columns) {
    std::string& list = column.from_itself ? inc : set;
    list += std::string(list.empty() ? "" : ", ") + keyword(column.column) + " ^" +
            (managed_by_ecto(column.column) ? std::string("now") : value_variable(column.column));
  }
  if (set.empty() && inc.empty()) return "set: [...]";
  std::string text;
  if (!inc.empty()) text = "inc: [" + inc + "]";
  if (!set.empty()) text += std::string(text.empty() ? "" : ", ") + "set: [" + set + "]";
  return text;
}

/// The loop's own values, one a row: an upsert that never inserts.
std::string rows_with_values(const Query& child, const std::vector<SetColumn>& columns,
                             const Predicate& key) {
  std::vector<std::string> names;
  for (const SetColumn& column : columns) {
    if (!column.from_itself) names.push_back(column.column);
  }
  if (names.empty()) return {};
  std::string list = atoms(names);
  if (names.size() == 1) list = "[" + list + "]";
  return "Repo.insert_all(" + schema_module(table_of(child)) + ", rows, on_conflict: {:replace, " +
         list + "}, conflict_target: " + atom(key.column) + ")";
}

}  // namespace

Fix insert_all(const Query& child) {
  const std::string rows = rows_variable(table_of(child));
  Fix fix;
  if (table_of(child) == kJobsTable) {
    fix.advice =
        "Build all jobs first and insert them in one statement. Oban's own engine ignores "
        "what makes jobs unique there." +
        std::string(kChunks);
    fix.ecto = "Oban.insert_all(jobs)";
    return fix;
  }
  fix.advice =
      "Collect the " + rows +
      " as maps and insert them in one statement; insert_all runs no changeset and sets no "
      "timestamps. (cast_assoc and put_assoc insert row by row too.)" +
      kChunks;
  fix.ecto = "Repo.insert_all(" + schema_module(table_of(child)) + ", " + rows +
             (child.returning ? ", returning: true)" : ")");
  return fix;
}

Fix upsert_all(const Query& child) {
  const std::string rows = rows_variable(table_of(child));
  const std::vector<std::string> target = conflict_target(child.text);
  const std::string on_conflict =
      conflict_does_nothing(child.text) ? ":nothing" : "{:replace_all_except, [:id, :inserted_at]}";
  Fix fix;
  fix.advice = "Upsert all " + rows +
               " in one statement. No two of them may meet the same row: make the list unique by "
               "the conflict target first." +
               std::string(kChunks);
  fix.ecto = "Repo.insert_all(" + schema_module(table_of(child)) + ", " + rows +
             ", on_conflict: " + on_conflict +
             (target.empty() ? "" : ", conflict_target: " + atoms(target)) + ")";
  return fix;
}

Fix update_all(const LoopedQuery& loop) {
  const Query& child = loop.child;
  const Predicate* key = loop.key();
  const std::string rows = rows_variable(table_of(child));
  Fix fix;
  if (key == nullptr) {
    fix.advice = "Update all " + rows + " of the loop in one statement.";
    return fix;
  }
  const std::vector<SetColumn> columns = set_columns(child.text);
  const std::string apart = rows_with_values(child, columns, *key);
  fix.advice = "Update all " + rows + " in one statement";
  fix.advice += apart.empty() ? "." : "; where each gets a value of its own, as an upsert of rows.";
  fix.ecto = from_list(loop) + ") |> Repo.update_all(" + assignments(columns) + ")";
  if (!apart.empty()) {
    fix.ecto += "\n# or, each with its own values (rows need all NOT NULL columns):\n" + apart;
  }
  return fix;
}

Fix delete_all(const LoopedQuery& loop) {
  const std::string rows = rows_variable(table_of(loop.child));
  Fix fix;
  fix.advice = "Delete all " + rows + " of the loop in one statement.";
  if (loop.key() != nullptr) fix.ecto = from_list(loop) + ") |> Repo.delete_all()";
  return fix;
}

}  // namespace ectoscope
