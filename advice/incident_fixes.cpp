#include "advice/incident_fixes.h"

#include <string>
#include <vector>

#include "advice/ecto_names.h"
#include "advice/ecto_parts.h"

namespace ectoscope {
namespace {

std::string table_of_request(const AdviceRequest& request) {
  if (request.worst != nullptr && !request.worst->table.empty()) return request.worst->table;
  return request.query == nullptr ? std::string("rows") : std::string(table_of(*request.query));
}

bool has_evidence(const AdviceRequest& request, const std::string& name) {
  return request.worst != nullptr && request.worst->evidence.contains(name) &&
         request.worst->evidence.at(name) > 0;
}

/// One step of an Ecto.Multi.
std::string multi_step(const Query& query) {
  const std::string table(table_of(query));
  const std::string name = atom(row_variable(table));
  const std::string module = schema_module(table);
  switch (query.operation) {
    case Operation::kInsert:
      if (table == kJobsTable) return "Oban.insert(:job, Worker.new(args))";
      return query.inserted_rows > 1
                 ? "Multi.insert_all(" + atom(rows_variable(table)) + ", " + module + ", rows)"
                 : "Multi.insert(" + name + ", " + module + ".changeset(%" + module + "{}, attrs))";
    case Operation::kDelete:
      return "Multi.delete(" + name + ", " + row_variable(table) + ")";
    default:
      return "Multi.update(" + name + ", " + module + ".changeset(" + row_variable(table) +
             ", attrs))";
  }
}

Fix multi(const AdviceRequest& request) {
  Fix fix;
  fix.advice =
      "Put the writes that belong together into one Ecto.Multi (or Repo.transaction): all of them "
      "happen, or none.";
  fix.ecto = "Multi.new()\n";
  if (request.parent != nullptr) fix.ecto += "|> " + multi_step(*request.parent) + "\n";
  if (request.query != nullptr) fix.ecto += "|> " + multi_step(*request.query) + "\n";
  fix.ecto += "|> Repo.transaction()";
  return fix;
}

Fix short_transaction(const AdviceRequest& request) {
  Fix fix;
  const bool waits = request.kind == "lock_wait";
  fix.advice = waits ? "Shorten the transaction that holds the lock: do HTTP calls, mail and "
                       "computation before it begins or after it ends, and write to contended rows "
                       "last."
                     : "Move the HTTP call (or whatever else it waited for) out of "
                       "Repo.transaction: do it before, and only write inside.";
  const std::string table = table_of_request(request);
  fix.ecto =
      "result = call_the_other_service()  # outside, no connection is held\n\n"
      "Repo.transaction(fn ->\n"
      "  # only what must happen together: " +
      table + " last\nend)";
  if (waits && request.query != nullptr && request.query->operation == Operation::kSelect) {
    fix.ecto += "\n# workers that share a queue: lock(\"FOR UPDATE SKIP LOCKED\")";
  }
  return fix;
}

Fix lock_order(const AdviceRequest& request) {
  Fix fix;
  const std::string table = table_of_request(request);
  fix.advice =
      "Lock the rows in one order everywhere, by primary key say, before you change any of them; "
      "and run the transaction again when it is chosen as the victim.";
  fix.ecto = "Repo.transaction(fn ->\n  " + rows_variable(table) + " =\n    Repo.all(from " +
             binding(table) + " in " + schema_module(table) + ", where: " + binding(table) +
             ".id in ^ids, order_by: " + binding(table) +
             ".id, lock: \"FOR UPDATE\")\n  # then the updates, in any order\nend)";
  return fix;
}

Fix retry(const AdviceRequest& /*request*/) {
  Fix fix;
  fix.advice =
      "Run the whole transaction again, a few times and after a short pause: a serialization "
      "failure is PostgreSQL's way of saying so. Or lock the row that is read (FOR UPDATE), or let "
      "the update compute in the database (update: [inc: ...]).";
  fix.ecto =
      "def retrying(fun, left \\\\ 3) do\n"
      "  Repo.transaction(fun)\n"
      "rescue\n"
      "  e in Postgrex.Error ->\n"
      "    if left > 0 and e.postgres.code in [:serialization_failure, :deadlock_detected] do\n"
      "      Process.sleep(:rand.uniform(50))\n"
      "      retrying(fun, left - 1)\n"
      "    else\n"
      "      reraise e, __STACKTRACE__\n"
      "    end\n"
      "end";
  return fix;
}

Fix raise_timeout(const AdviceRequest& request) {
  Fix fix;
  fix.advice =
      "Make it faster first: read its plan for a missing index or a lock that it waits for. If it "
      "is meant to take this long (a report, an export), give this one call more time, not the "
      "whole pool.";
  if (has_evidence(request, "total_client_cancels")) {
    fix.ecto = "Repo.all(query, timeout: :timer.minutes(2))  # DBConnection gave up after 15 s";
  } else {
    fix.ecto =
        "Repo.transaction(fn ->\n  Repo.query!(\"SET LOCAL statement_timeout = '2min'\")\n"
        "  Repo.all(query, timeout: :timer.minutes(2))\nend, timeout: :infinity)";
  }
  return fix;
}

std::string column_atoms(const std::vector<std::string>& columns) {
  std::string text;
  for (const std::string& column : columns) {
    if (!text.empty()) text += ", ";
    text += atom(column.substr(column.rfind('.') + 1));
  }
  return columns.size() > 1 ? "[" + text + "]" : text;
}

Fix handle_constraint(const AdviceRequest& request) {
  Fix fix;
  const bool known = request.worst != nullptr;
  const std::string columns =
      known && !request.worst->columns.empty() ? column_atoms(request.worst->columns) : ":field";
  const std::string name = known && !request.worst->constraint.empty()
                               ? ", name: " + atom(request.worst->constraint)
                               : std::string();
  if (has_evidence(request, "total_not_null")) {
    fix.advice =
        "Require the field in the changeset, so that a missing value is an error of the "
        "form and not of the database.";
    fix.ecto = "validate_required(changeset, [" + columns + "])";
    return fix;
  }
  const char* function = has_evidence(request, "total_foreign_key") ? "foreign_key_constraint"
                         : has_evidence(request, "total_check")     ? "check_constraint"
                         : has_evidence(request, "total_exclusion") ? "exclusion_constraint"
                                                                    : "unique_constraint";
  fix.advice =
      "Name the constraint in the changeset: the violation becomes {:error, changeset} "
      "instead of an exception.";
  fix.ecto = std::string(function) + "(changeset, " + columns + name + ")";
  if (std::string_view(function) == "unique_constraint") {
    fix.advice +=
        " Where a duplicate is expected (imports, retried jobs), let the insert pass "
        "over it.";
    fix.ecto += "\n# or: Repo.insert(changeset, on_conflict: :nothing, conflict_target: " +
                (columns.front() == '[' ? columns : "[" + columns + "]") + ")";
  }
  return fix;
}

Fix pool_size(const AdviceRequest& request) {
  Fix fix;
  if (request.kind == "connection_churn") {
    fix.advice =
        "Find out why the pool dies: look for crashes of its supervisor, for processes that are "
        "killed while they hold a connection, and for a short idle timeout of a proxy. Connect "
        "once, and let the pool keep its connections.";
    fix.ecto =
        "config :my_app, MyApp.Repo,\n  pool_size: 10,\n  idle_interval: 15_000,\n"
        "  backoff_type: :rand_exp  # reconnect more and more slowly, not all at once";
    return fix;
  }
  fix.advice =
      "Make all pools together fit: nodes x pool_size (and releases that overlap in a deploy, "
      "workers, consoles) below max_connections or the role's limit; or put pgbouncer between.";
  fix.ecto = "config :my_app, MyApp.Repo, pool_size: 10  # nodes x pool_size < max_connections - 5";
  fix.sql = "SHOW max_connections; SELECT rolname, rolconnlimit FROM pg_roles;";
  return fix;
}

}  // namespace

Fix incident_fix(const AdviceRequest& request) {
  switch (request.remedy) {
    case Remedy::kMulti:
      return multi(request);
    case Remedy::kShortTransaction:
      return short_transaction(request);
    case Remedy::kLockOrder:
      return lock_order(request);
    case Remedy::kRetry:
      return retry(request);
    case Remedy::kRaiseTimeout:
      return raise_timeout(request);
    case Remedy::kHandleConstraint:
      return handle_constraint(request);
    case Remedy::kPoolSize:
      return pool_size(request);
    default:
      return {};
  }
}

}  // namespace ectoscope
