#include "advice/ecto_fix.h"

#include <optional>
#include <utility>

#include "advice/ecto_names.h"
#include "advice/ecto_parts.h"
#include "advice/incident_fixes.h"
#include "advice/plan_fixes.h"

namespace ectoscope {
namespace {

/// How the application probably loads what `query` reads.
std::string load(const Query& query) {
  const std::string module = schema_module(table_of(query));
  if (query.aggregate) return "Repo.one(query)";
  const Predicate* key = looped_predicate(query);
  if (key == nullptr || query.has_join || query.predicates.size() > 1) return "Repo.all(query)";
  if (key->list || query.has_limit || !query.order_by.empty()) return "Repo.all(query)";
  if (key->column == "id") return "Repo.get!(" + module + ", id)";
  if (!foreign_key_stem(key->column).empty()) return "Repo.all(query)";
  return "Repo.get_by!(" + module + ", " + keyword(key->column) + " " +
         value_variable(key->column) + ")";
}

std::string loaded_variable(const Query& query, const std::string& loading) {
  if (query.aggregate) return "result";
  return loading.starts_with("Repo.get") ? row_variable(table_of(query))
                                         : rows_variable(table_of(query));
}

Fix memoize(const Query& query) {
  Fix fix;
  const std::string loading = load(query);
  const std::string variable = loaded_variable(query, loading);
  fix.advice =
      "Load it once at the start of the request and pass it on: in conn.assigns, the "
      "socket's assigns or as an argument.";
  fix.ecto = variable + " = " + loading + "  # once, then pass " + variable + " on";
  return fix;
}

Fix shared_mount(const Query& query) {
  Fix fix;
  const std::string loading = load(query);
  const std::string variable = loaded_variable(query, loading);
  fix.advice =
      "A LiveView mounts twice, for the HTTP request and for the socket: load it only when "
      "connected, or let assign_new take what a plug has already assigned.";
  fix.ecto = "if connected?(socket), do: assign(socket, " + atom(variable) + ", " + loading +
             "), else: assign(socket, " + atom(variable) + ", nil)\n" +
             "# or, where a plug has it in conn.assigns:\n" + "assign_new(socket, " +
             atom(variable) + ", fn -> " + loading + " end)";
  return fix;
}

Fix read_plan(const Query& query) {
  Fix fix;
  fix.advice =
      "Read its plan: look for a sequential scan, for rows removed by a filter and for "
      "estimates far from the actual rows.";
  switch (query.operation) {
    case Operation::kSelect:
      fix.ecto = "Repo.explain(:all, query, analyze: true, buffers: true)";
      break;
    case Operation::kUpdate:
      fix.ecto = "Repo.explain(:update_all, query)  # analyze: true would run it";
      break;
    case Operation::kDelete:
      fix.ecto = "Repo.explain(:delete_all, query)  # analyze: true would run it";
      break;
    default:
      fix.advice =
          "Find out what it waits for: locks, triggers, indexes to keep up, or the sheer "
          "number of rows.";
  }
  return fix;
}

}  // namespace

Fix advise(Remedy remedy, const Query& child, const Query* parent,
           const std::vector<std::string>& varying) {
  const LoopedQuery loop = looped_query(child, parent, varying);
  switch (remedy) {
    case Remedy::kNone:
      return {};
    case Remedy::kPreload:
      return preload(loop);
    case Remedy::kGroupBy:
      return group_by(loop);
    case Remedy::kInsertAll:
      return insert_all(child);
    case Remedy::kUpsertAll:
      return upsert_all(child);
    case Remedy::kUpdateAll:
      return update_all(loop);
    case Remedy::kDeleteAll:
      return delete_all(loop);
    case Remedy::kMemoize:
      return memoize(child);
    case Remedy::kSharedMount:
      return shared_mount(child);
    case Remedy::kReadPlan:
      return read_plan(child);
    default:
      return {};
  }
}

Fix advise(const AdviceRequest& request, const Catalog* catalog) {
  switch (request.remedy) {
    case Remedy::kMulti:
    case Remedy::kShortTransaction:
    case Remedy::kLockOrder:
    case Remedy::kRetry:
    case Remedy::kRaiseTimeout:
    case Remedy::kHandleConstraint:
    case Remedy::kPoolSize:
      return incident_fix(request);
    case Remedy::kSafeMigration:
      return migration_fix(request);
    default:
      break;
  }
  if (request.query == nullptr) return {};
  if (std::optional<Fix> fix = fix_of_plan(request, catalog)) return *std::move(fix);
  static const std::vector<std::string> kNotSeen;
  return advise(request.remedy, *request.query, request.parent,
                request.worst == nullptr ? kNotSeen : request.worst->columns);
}

}  // namespace ectoscope
