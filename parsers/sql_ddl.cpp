#include "parsers/sql_ddl.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/ddl.h"
#include "parsers/sql_tree.h"

namespace ectoscope {
namespace {

// Functions whose value is the same for all rows of one statement.  Any other may be volatile.
bool is_stable(std::string_view function) {
  static constexpr std::array<std::string_view, 20> kStable = {"now",
                                                               "transaction_timestamp",
                                                               "statement_timestamp",
                                                               "timezone",
                                                               "date_trunc",
                                                               "to_char",
                                                               "to_timestamp",
                                                               "make_interval",
                                                               "current_setting",
                                                               "current_schema",
                                                               "current_database",
                                                               "lower",
                                                               "upper",
                                                               "md5",
                                                               "concat",
                                                               "coalesce",
                                                               "json_build_object",
                                                               "jsonb_build_object",
                                                               "json_build_array",
                                                               "jsonb_build_array"};
  return std::find(kStable.begin(), kStable.end(), function) != kStable.end();
}

bool is_volatile(const PgQuery__Node* expression) {
  if (expression == nullptr) return false;
  bool found = false;
  walk_tree(&expression->base, [&](const ProtobufCMessage& message) {
    if (const auto* call = as<PgQuery__FuncCall>(message, pg_query__func_call__descriptor)) {
      found = found || !is_stable(last_name(nodes(call->funcname, call->n_funcname)));
    }
    return !found;
  });
  return found;
}

uint16_t of_constraint(const PgQuery__Constraint& constraint) {
  switch (constraint.contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
      return constraint.skip_validation != 0 ? uint16_t{0} : uint16_t{kDdlForeignKey};
    case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
      return constraint.skip_validation != 0 ? uint16_t{0} : uint16_t{kDdlCheck};
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
    case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION: {
      const bool ready = constraint.indexname != nullptr && constraint.indexname[0] != '\0';
      return ready ? uint16_t{0} : uint16_t{kDdlUnique};
    }
    default:
      return 0;
  }
}

/// Of a column that is added: its default is evaluated row by row, or once for all.
uint16_t of_column(const PgQuery__ColumnDef& column) {
  uint16_t found = 0;
  if (column.type_name != nullptr) {
    const std::string_view type =
        last_name(nodes(column.type_name->names, column.type_name->n_names));
    if (type.find("serial") != std::string_view::npos) found |= kDdlVolatileDefault;
  }
  for (const PgQuery__Node* node : nodes(column.constraints, column.n_constraints)) {
    if (node->node_case != PG_QUERY__NODE__NODE_CONSTRAINT) continue;
    const PgQuery__Constraint& constraint = *node->constraint;
    switch (constraint.contype) {
      case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT:
        if (is_volatile(constraint.raw_expr)) found |= kDdlVolatileDefault;
        break;
      case PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY:
      case PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED:
        found |= kDdlVolatileDefault;
        break;
      default:
        found |= of_constraint(constraint);
    }
  }
  return found;
}

uint16_t of_command(const PgQuery__AlterTableCmd& command) {
  const PgQuery__Node* definition = command.def;
  switch (command.subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn:
      return definition != nullptr && definition->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF
                 ? of_column(*definition->column_def)
                 : uint16_t{0};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType:
      return kDdlChangesType;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull:
      return kDdlSetsNotNull;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint:
      return definition != nullptr && definition->node_case == PG_QUERY__NODE__NODE_CONSTRAINT
                 ? of_constraint(*definition->constraint)
                 : uint16_t{0};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetLogged:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetUnLogged:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetTableSpace:
      return kDdlRewrites;
    default:
      return 0;
  }
}

uint16_t of_alter(const PgQuery__AlterTableStmt& alter) {
  uint16_t found = 0;
  for (const PgQuery__Node* node : nodes(alter.cmds, alter.n_cmds)) {
    if (node->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD) {
      found |= of_command(*node->alter_table_cmd);
    }
  }
  return found;
}

bool says(PgQuery__Node* const* options, size_t count, std::string_view word) {
  const auto named = nodes(options, count);
  return std::any_of(named.begin(), named.end(), [&](const PgQuery__Node* node) {
    return node->node_case == PG_QUERY__NODE__NODE_DEF_ELEM && node->def_elem->defname == word;
  });
}

uint16_t of_rename(const PgQuery__RenameStmt& rename) {
  const bool of_table = rename.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE;
  const bool of_column = rename.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN &&
                         rename.relation_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE;
  return of_table || of_column ? uint16_t{kDdlRenames} : uint16_t{0};
}

}  // namespace

uint16_t read_ddl(const PgQuery__Node& statement) {
  switch (statement.node_case) {
    case PG_QUERY__NODE__NODE_CREATE_STMT:
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
      return kDdlCreatesTable;
    case PG_QUERY__NODE__NODE_INDEX_STMT:
      return statement.index_stmt->concurrent != 0 ? uint16_t{0} : uint16_t{kDdlBuildsIndex};
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
      return of_alter(*statement.alter_table_stmt);
    case PG_QUERY__NODE__NODE_RENAME_STMT:
      return of_rename(*statement.rename_stmt);
    case PG_QUERY__NODE__NODE_DROP_STMT: {
      const PgQuery__DropStmt& drop = *statement.drop_stmt;
      const bool index = drop.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX;
      return index && drop.concurrent == 0 ? uint16_t{kDdlDropsIndex} : uint16_t{0};
    }
    case PG_QUERY__NODE__NODE_REINDEX_STMT: {
      const PgQuery__ReindexStmt& reindex = *statement.reindex_stmt;
      return says(reindex.params, reindex.n_params, "concurrently") ? uint16_t{0}
                                                                    : uint16_t{kDdlRewrites};
    }
    case PG_QUERY__NODE__NODE_CLUSTER_STMT:
      return kDdlRewrites;
    case PG_QUERY__NODE__NODE_VACUUM_STMT: {
      const PgQuery__VacuumStmt& vacuum = *statement.vacuum_stmt;
      return says(vacuum.options, vacuum.n_options, "full") ? uint16_t{kDdlRewrites} : uint16_t{0};
    }
    case PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT:
      return statement.refresh_mat_view_stmt->concurrent != 0 ? uint16_t{0}
                                                              : uint16_t{kDdlRewrites};
    default:
      return 0;
  }
}

}  // namespace ectoscope
