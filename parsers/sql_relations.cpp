#include "parsers/sql_relations.h"

#include <algorithm>

namespace ectoscope {
namespace {

std::string_view text_or_empty(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

std::string_view alias_name(const PgQuery__Alias* alias) {
  return alias == nullptr ? std::string_view() : text_or_empty(alias->aliasname);
}

std::string_view name_of(const PgQuery__RangeVar& relation) {
  return relation.alias != nullptr ? alias_name(relation.alias) : text_or_empty(relation.relname);
}

bool is_system(const PgQuery__RangeVar& relation) {
  const std::string_view schema = text_or_empty(relation.schemaname);
  return schema == "pg_catalog" || schema == "information_schema" ||
         is_system_table(text_or_empty(relation.relname));
}

}  // namespace

bool is_system_table(std::string_view table) {
  return table.starts_with("pg_") || table == "schema_migrations";
}

void add_table(std::string_view name, std::vector<std::string>& tables) {
  if (name.empty() || std::find(tables.begin(), tables.end(), name) != tables.end()) return;
  tables.emplace_back(name);
}

SqlRelations::SqlRelations(const PgQuery__Node& statement, SqlAliases& aliases) {
  walk_tree(&statement.base, [&](const ProtobufCMessage& message) {
    if (const auto* cte =
            as<PgQuery__CommonTableExpr>(message, pg_query__common_table_expr__descriptor)) {
      ctes_.push_back(cte);
    } else if (const auto* alias = as<PgQuery__Alias>(message, pg_query__alias__descriptor)) {
      aliases.names.emplace(alias_name(alias));
    } else if (const auto* table = as<PgQuery__RangeVar>(message, pg_query__range_var__descriptor);
               table != nullptr && table->location >= 0) {
      aliases.tables.insert(static_cast<uint32_t>(table->location));
    }
    return true;
  });
}

const PgQuery__CommonTableExpr* SqlRelations::cte_of(const PgQuery__RangeVar& relation) const {
  if (!text_or_empty(relation.schemaname).empty()) return nullptr;
  const std::string_view name = text_or_empty(relation.relname);
  const auto found = std::find_if(ctes_.begin(), ctes_.end(), [&](const auto* cte) {
    return text_or_empty(cte->ctename) == name;
  });
  return found == ctes_.end() ? nullptr : *found;
}

const PgQuery__RangeVar* SqlRelations::first_table(const PgQuery__Node* node) const {
  size_t followed = 0;
  while (node != nullptr) {
    switch (node->node_case) {
      case PG_QUERY__NODE__NODE_JOIN_EXPR:
        node = node->join_expr->larg;
        break;
      case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
        node = node->range_subselect->subquery;
        break;
      case PG_QUERY__NODE__NODE_SELECT_STMT: {
        const PgQuery__SelectStmt* select = node->select_stmt;
        while (select->larg != nullptr)
          select = select->larg;
        node = select->n_from_clause > 0 ? select->from_clause[0] : nullptr;
        break;
      }
      case PG_QUERY__NODE__NODE_RANGE_VAR: {
        const PgQuery__CommonTableExpr* cte = cte_of(*node->range_var);
        if (cte == nullptr) return node->range_var;
        if (++followed > ctes_.size()) return nullptr;  // recursive
        node = cte->ctequery;
        break;
      }
      default:
        return nullptr;
    }
  }
  return nullptr;
}

void SqlRelations::add_sources(const PgQuery__Node* from, SqlScope& scope) const {
  if (from == nullptr) return;
  const PgQuery__RangeVar* const table = first_table(from);
  std::string behind(table == nullptr ? std::string_view() : text_or_empty(table->relname));
  switch (from->node_case) {
    case PG_QUERY__NODE__NODE_RANGE_VAR:
      scope.sources.push_back({name_of(*from->range_var), std::move(behind)});
      return;
    case PG_QUERY__NODE__NODE_JOIN_EXPR:
      add_sources(from->join_expr->larg, scope);
      add_sources(from->join_expr->rarg, scope);
      return;
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
      scope.sources.push_back({alias_name(from->range_subselect->alias), std::move(behind)});
      return;
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
      scope.sources.push_back({alias_name(from->range_function->alias), {}});
      return;
    default:
      return;
  }
}

void SqlRelations::add_target(const PgQuery__RangeVar& target, SqlScope& scope) const {
  scope.sources.push_back({name_of(target), std::string(text_or_empty(target.relname))});
}

bool SqlRelations::add_tables(const PgQuery__Node& statement,
                              std::vector<std::string>& tables) const {
  bool seen = false;
  bool only_system = true;
  walk_tree(&statement.base, [&](const ProtobufCMessage& message) {
    const auto* relation = as<PgQuery__RangeVar>(message, pg_query__range_var__descriptor);
    if (relation == nullptr || cte_of(*relation) != nullptr) return true;
    seen = true;
    only_system = only_system && is_system(*relation);
    add_table(text_or_empty(relation->relname), tables);
    return true;
  });
  return seen && only_system;
}

}  // namespace ectoscope
