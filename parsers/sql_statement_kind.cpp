#include "parsers/sql_statement_kind.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "parsers/sql_tree.h"

namespace ectoscope {
namespace {

// Functions that a pool, a migrator or a lock calls without reading a table of the application.
bool is_system_function(std::string_view function) {
  static constexpr std::array<std::string_view, 16> kNames = {"nextval",
                                                              "setval",
                                                              "currval",
                                                              "lastval",
                                                              "set_config",
                                                              "current_setting",
                                                              "version",
                                                              "current_database",
                                                              "current_schema",
                                                              "current_schemas",
                                                              "pg_backend_pid",
                                                              "pg_is_in_recovery",
                                                              "txid_current",
                                                              "pg_current_xact_id",
                                                              "now",
                                                              "to_regclass"};
  return std::find(kNames.begin(), kNames.end(), function) != kNames.end() ||
         function.find("advisory") != std::string_view::npos;
}

bool calls_only_system_functions(const ProtobufCMessage* message) {
  bool only = true;
  walk_tree(message, [&](const ProtobufCMessage& below) {
    const auto* call = as<PgQuery__FuncCall>(below, pg_query__func_call__descriptor);
    if (call != nullptr) {
      only = only && is_system_function(last_name(nodes(call->funcname, call->n_funcname)));
    }
    return only;
  });
  return only;
}

}  // namespace

bool defines_something(const PgQuery__Node& statement) {
  const PgQuery__Node__NodeCase kind = statement.node_case;
  switch (kind) {
    case PG_QUERY__NODE__NODE_CALL_STMT:
    case PG_QUERY__NODE__NODE_CHECK_POINT_STMT:
    case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
    case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT:
    case PG_QUERY__NODE__NODE_COPY_STMT:
    case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
    case PG_QUERY__NODE__NODE_DISCARD_STMT:
    case PG_QUERY__NODE__NODE_DO_STMT:
    case PG_QUERY__NODE__NODE_EXECUTE_STMT:
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
    case PG_QUERY__NODE__NODE_FETCH_STMT:
    case PG_QUERY__NODE__NODE_LISTEN_STMT:
    case PG_QUERY__NODE__NODE_LOAD_STMT:
    case PG_QUERY__NODE__NODE_LOCK_STMT:
    case PG_QUERY__NODE__NODE_NOTIFY_STMT:
    case PG_QUERY__NODE__NODE_PREPARE_STMT:
    case PG_QUERY__NODE__NODE_UNLISTEN_STMT:
    case PG_QUERY__NODE__NODE_VACUUM_STMT:
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
      return false;
    // The grammar's numbers: all other statements from ALTER TABLE on define something.
    default:
      return kind >= PG_QUERY__NODE__NODE_ALTER_TABLE_STMT &&
             kind <= PG_QUERY__NODE__NODE_ALTER_STATS_STMT;
  }
}

TransactionVerb transaction_verb(const PgQuery__TransactionStmt& statement) {
  switch (statement.kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START:
      return TransactionVerb::kBegin;
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
      return TransactionVerb::kCommit;
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
      return TransactionVerb::kRollback;
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT:
      return TransactionVerb::kSavepoint;
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE:
      return TransactionVerb::kRelease;
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
      return TransactionVerb::kRollbackTo;
    // Two-phase commit: the transaction is no longer the session's.
    default:
      return TransactionVerb::kNone;
  }
}

bool serves_the_session(const PgQuery__Node& statement, const Query& query) {
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
    case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT:
    case PG_QUERY__NODE__NODE_DISCARD_STMT:
    case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
    case PG_QUERY__NODE__NODE_LISTEN_STMT:
    case PG_QUERY__NODE__NODE_UNLISTEN_STMT:
      return true;
    case PG_QUERY__NODE__NODE_SELECT_STMT:
      return query.tables.empty() && calls_only_system_functions(&statement.base);
    default:
      return false;
  }
}

bool serves_the_jobs(const Query& query) {
  const auto is_obans = [](std::string_view table) { return table.starts_with("oban_"); };
  if (query.tables.empty() || !std::all_of(query.tables.begin(), query.tables.end(), is_obans))
    return false;
  switch (query.operation) {
    case Operation::kSelect:
    case Operation::kUpdate:
    case Operation::kDelete:
      return true;
    case Operation::kInsert:
      return query.tables.front() != "oban_jobs";
    default:  // its migrations block as others do
      return false;
  }
}

}  // namespace ectoscope
