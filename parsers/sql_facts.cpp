#include "parsers/sql_facts.h"

#include <algorithm>
#include <array>
#include <memory_resource>

#include <pg_query.h>
#include <pg_query.pb-c.h>

#include "parsers/sql_ddl.h"
#include "parsers/sql_predicates.h"
#include "parsers/sql_relations.h"
#include "parsers/sql_statement_kind.h"
#include "parsers/sql_tree.h"

namespace ectoscope {
namespace {

using Nodes = std::span<PgQuery__Node* const>;

template <size_t N>
bool one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_aggregate(std::string_view function) {
  static constexpr std::array<std::string_view, 18> kAggregates = {"count",
                                                                   "sum",
                                                                   "avg",
                                                                   "min",
                                                                   "max",
                                                                   "bool_or",
                                                                   "bool_and",
                                                                   "every",
                                                                   "array_agg",
                                                                   "string_agg",
                                                                   "json_agg",
                                                                   "jsonb_agg",
                                                                   "stddev",
                                                                   "variance",
                                                                   "percentile_cont",
                                                                   "percentile_disc",
                                                                   "mode",
                                                                   "jsonb_object_agg"};
  return one_of(function, kAggregates);
}

// Reads one statement into a Query.
class FactsReader {
 public:
  FactsReader(const PgQuery__Node& statement, const SqlSlots& slots, Query& query,
              SqlAliases& aliases)
      : statement_(statement), relations_(statement, aliases), slots_(slots), query_(query) {}

  void read() {
    dispatch(statement_);
    const bool system_tables = relations_.add_tables(statement_, query_.tables);
    choose_key(query_);
    const bool jobs = serves_the_jobs(query_);
    query_.system = jobs || system_tables || serves_the_session(statement_, query_);
    query_.ends_job =
        jobs && query_.operation == Operation::kUpdate && query_.key_form == KeyForm::kSingle;
  }

 private:
  void dispatch(const PgQuery__Node& node) {
    switch (node.node_case) {
      case PG_QUERY__NODE__NODE_SELECT_STMT:
        query_.operation = Operation::kSelect;
        add_main_table(relations_.first_table(&node));
        return select(*node.select_stmt, nullptr, true);
      case PG_QUERY__NODE__NODE_INSERT_STMT:
        return insert(*node.insert_stmt);
      case PG_QUERY__NODE__NODE_UPDATE_STMT:
        return update(*node.update_stmt);
      case PG_QUERY__NODE__NODE_DELETE_STMT:
        return remove(*node.delete_stmt);
      case PG_QUERY__NODE__NODE_MERGE_STMT:
        return merge(*node.merge_stmt);
      case PG_QUERY__NODE__NODE_TRANSACTION_STMT:
        query_.operation = Operation::kTransaction;
        query_.transaction = transaction_verb(*node.transaction_stmt);
        return;
      case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
        if (node.declare_cursor_stmt->query != nullptr) dispatch(*node.declare_cursor_stmt->query);
        return;
      case PG_QUERY__NODE__NODE_DROP_STMT:
        drop(*node.drop_stmt);
        break;
      default:
        break;
    }
    if (defines_something(node)) query_.operation = Operation::kDdl;
    query_.ddl = read_ddl(node);
  }

  void select(const PgQuery__SelectStmt& statement, const SqlScope* outer, bool top) {
    if (top) read_bounds(statement);
    if (statement.n_locking_clause > 0) query_.locks_rows = true;
    if (statement.larg != nullptr) {  // UNION: the first arm speaks for all
      select(*statement.larg, outer, false);
      return;
    }
    SqlScope scope;
    scope.outer = outer;
    for (const PgQuery__Node* from : nodes(statement.from_clause, statement.n_from_clause))
      relations_.add_sources(from, scope);
    if (scope.sources.size() > 1) query_.has_join = true;
    for (const PgQuery__Node* from : nodes(statement.from_clause, statement.n_from_clause))
      read_joins(from, scope);
    read_predicates(statement.where_clause, scope, slots_, query_.predicates);
    if (!top) return;
    read_order(nodes(statement.sort_clause, statement.n_sort_clause), scope);
    read_aggregate(statement, scope);
  }

  void read_bounds(const PgQuery__SelectStmt& statement) {
    query_.has_limit = is_bound(statement.limit_count);
    query_.limit_slot = slots_.of(statement.limit_count);
    query_.has_offset = is_bound(statement.limit_offset);
    query_.offset_slot = slots_.of(statement.limit_offset);
  }

  static bool is_bound(const PgQuery__Node* node) {  // LIMIT ALL is a null constant
    return node != nullptr &&
           (node->node_case != PG_QUERY__NODE__NODE_A_CONST || node->a_const->isnull == 0);
  }

  void read_order(Nodes clauses, const SqlScope& scope) {
    for (const PgQuery__Node* clause : clauses) {
      if (clause->node_case != PG_QUERY__NODE__NODE_SORT_BY) return;
      bool wrapped = false;
      const SqlColumn column = column_of(unwrap(clause->sort_by->node, wrapped), scope);
      if (column.column.empty()) return;  // what follows an expression orders nothing by itself
      query_.order_by.push_back(
          {column.table, column.column,
           clause->sort_by->sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC});
    }
  }

  // One row that is a figure: only aggregates, or constants (`SELECT 1 ... LIMIT 1`, EXISTS).
  void read_aggregate(const PgQuery__SelectStmt& statement, const SqlScope& scope) {
    if (statement.n_group_clause > 0 || statement.n_target_list == 0) return;
    bool figure = false;
    bool column = false;
    const bool has_from = statement.n_from_clause > 0;
    bool constants_only = has_from;
    for (const PgQuery__Node* target : nodes(statement.target_list, statement.n_target_list)) {
      if (target->node_case != PG_QUERY__NODE__NODE_RES_TARGET) continue;
      const PgQuery__Node* value = target->res_target->val;
      if (value == nullptr) continue;
      if (value->node_case != PG_QUERY__NODE__NODE_A_CONST) constants_only = false;
      if (const PgQuery__SelectStmt* inner = exists_query(value); inner != nullptr) {
        figure = true;
        if (!has_from) select(*inner, &scope, false);
      } else if (has_aggregate(value)) {
        figure = true;
      } else if (value->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) {
        column = true;
      }
    }
    query_.aggregate = (figure && !column) || constants_only;
  }

  static const PgQuery__SelectStmt* exists_query(const PgQuery__Node* value) {
    if (value->node_case != PG_QUERY__NODE__NODE_SUB_LINK) return nullptr;
    const PgQuery__SubLink& link = *value->sub_link;
    const bool exists = link.sub_link_type == PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK;
    if (!exists || link.subselect == nullptr) return nullptr;
    return link.subselect->node_case == PG_QUERY__NODE__NODE_SELECT_STMT
               ? link.subselect->select_stmt
               : nullptr;
  }

  static bool has_aggregate(const PgQuery__Node* value) {
    bool found = false;
    walk_tree(&value->base, [&](const ProtobufCMessage& message) {
      if (as<PgQuery__SubLink>(message, pg_query__sub_link__descriptor) != nullptr) return false;
      const auto* call = as<PgQuery__FuncCall>(message, pg_query__func_call__descriptor);
      if (call != nullptr && call->over == nullptr) {
        found = found || is_aggregate(last_name(nodes(call->funcname, call->n_funcname)));
      }
      return !found;
    });
    return found;
  }

  void insert(const PgQuery__InsertStmt& statement) {
    query_.operation = Operation::kInsert;
    add_main_table(statement.relation);
    query_.on_conflict = statement.on_conflict_clause != nullptr;
    query_.returning = statement.n_returning_list > 0;
    const PgQuery__Node* source = statement.select_stmt;
    if (source == nullptr) {
      query_.inserted_rows = 1;  // DEFAULT VALUES
    } else if (source->node_case == PG_QUERY__NODE__NODE_SELECT_STMT) {
      query_.inserted_rows = static_cast<uint32_t>(source->select_stmt->n_values_lists);
    }
  }

  void update(const PgQuery__UpdateStmt& statement) {
    query_.operation = Operation::kUpdate;
    query_.returning = statement.n_returning_list > 0;
    change(statement.relation, nodes(statement.from_clause, statement.n_from_clause),
           statement.where_clause);
  }

  void remove(const PgQuery__DeleteStmt& statement) {
    query_.operation = Operation::kDelete;
    query_.returning = statement.n_returning_list > 0;
    change(statement.relation, nodes(statement.using_clause, statement.n_using_clause),
           statement.where_clause);
  }

  void change(const PgQuery__RangeVar* target, Nodes from, const PgQuery__Node* where) {
    SqlScope scope;
    if (target != nullptr) {
      add_main_table(target);
      relations_.add_target(*target, scope);
    }
    for (const PgQuery__Node* node : from)
      relations_.add_sources(node, scope);
    query_.has_join = scope.sources.size() > 1;
    for (const PgQuery__Node* node : from)
      read_joins(node, scope);
    read_predicates(where, scope, slots_, query_.predicates);
  }

  void merge(const PgQuery__MergeStmt& statement) {
    query_.operation = Operation::kUpdate;
    query_.has_join = true;
    SqlScope scope;
    if (statement.relation != nullptr) {
      add_main_table(statement.relation);
      relations_.add_target(*statement.relation, scope);
    }
    relations_.add_sources(statement.source_relation, scope);
    read_predicates(statement.join_condition, scope, slots_, query_.predicates);
  }

  void drop(const PgQuery__DropStmt& statement) {
    if (statement.remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE) return;
    for (const PgQuery__Node* object : nodes(statement.objects, statement.n_objects)) {
      if (object->node_case != PG_QUERY__NODE__NODE_LIST) continue;
      add_table(last_name(nodes(object->list->items, object->list->n_items)), query_.tables);
    }
  }

  void add_main_table(const PgQuery__RangeVar* relation) {
    if (relation != nullptr && relation->relname != nullptr) {
      add_table(relation->relname, query_.tables);
    }
  }

  // Into joins' conditions, and into subqueries: what they compare bounds the rows as well.
  void read_joins(const PgQuery__Node* from, const SqlScope& scope) {
    if (from->node_case == PG_QUERY__NODE__NODE_JOIN_EXPR) {
      read_joins(from->join_expr->larg, scope);
      read_joins(from->join_expr->rarg, scope);
      read_predicates(from->join_expr->quals, scope, slots_, query_.predicates);
    } else if (from->node_case == PG_QUERY__NODE__NODE_RANGE_SUBSELECT) {
      read_query(from->range_subselect->subquery, scope);
    } else if (from->node_case == PG_QUERY__NODE__NODE_RANGE_VAR) {
      const PgQuery__CommonTableExpr* cte = relations_.cte_of(*from->range_var);
      if (cte == nullptr || std::find(open_.begin(), open_.end(), cte) != open_.end()) return;
      open_.push_back(cte);
      read_query(cte->ctequery, scope);
    }
  }

  void read_query(const PgQuery__Node* query, const SqlScope& outer) {
    if (query != nullptr && query->node_case == PG_QUERY__NODE__NODE_SELECT_STMT) {
      select(*query->select_stmt, &outer, false);
    }
  }

  const PgQuery__Node& statement_;
  SqlRelations relations_;
  const SqlSlots& slots_;
  Query& query_;
  std::vector<const PgQuery__CommonTableExpr*> open_;  // whose query was read already
};

/// A parsed statement in memory of its own that is given back as a whole: to free message by
/// message would look at each of the 200 kinds that a node may be.
class ParsedSql {
 public:
  explicit ParsedSql(const char* sql) {
    const PgQueryProtobufParseResult result = pg_query_parse_protobuf(sql);
    if (result.error == nullptr) {
      ProtobufCAllocator allocator{&ParsedSql::allocate, [](void*, void*) {}, &memory_};
      tree_ =
          pg_query__parse_result__unpack(&allocator, result.parse_tree.len,
                                         reinterpret_cast<const uint8_t*>(result.parse_tree.data));
    }
    pg_query_free_protobuf_parse_result(result);
  }
  /// Null where libpg_query refused the text.
  [[nodiscard]] const PgQuery__ParseResult* tree() const { return tree_; }

 private:
  static void* allocate(void* memory, size_t bytes) {
    return static_cast<std::pmr::monotonic_buffer_resource*>(memory)->allocate(bytes);
  }

  std::pmr::monotonic_buffer_resource memory_{size_t{16} << 10U};
  PgQuery__ParseResult* tree_ = nullptr;
};

uint64_t fingerprint(const char* sql) {
  const PgQueryFingerprintResult result = pg_query_fingerprint(sql);
  const uint64_t number = result.error == nullptr ? result.fingerprint : 0;
  pg_query_free_fingerprint_result(result);
  return number;
}

}  // namespace

bool read_facts(const SqlSkeleton& skeleton, Query& query, SqlAliases& aliases) {
  const ParsedSql parsed(skeleton.text.c_str());
  const PgQuery__ParseResult* const tree = parsed.tree();
  if (tree == nullptr || tree->n_stmts == 0) return false;
  query.parsed = true;
  query.fingerprint = fingerprint(skeleton.text.c_str());
  query.parameters = static_cast<uint16_t>(skeleton.parameters);
  query.literals = static_cast<uint16_t>(std::min<size_t>(skeleton.literals.size(), 65535));
  const SqlSlots slots(skeleton);
  // Of several statements the first that reads or writes speaks for all, else the first.
  const Query empty = query;
  for (size_t i = 0; i < tree->n_stmts; ++i) {
    if (tree->stmts[i]->stmt == nullptr) continue;
    Query one = empty;
    FactsReader(*tree->stmts[i]->stmt, slots, one, aliases).read();
    const bool utility =
        one.operation == Operation::kTransaction || one.operation == Operation::kOther;
    if (i == 0 || !utility) query = std::move(one);
    if (!utility) break;
  }
  // The skeleton keeps two rows of any number.
  if (query.inserted_rows > 1) query.inserted_rows = std::max(query.inserted_rows, skeleton.rows);
  return true;
}

}  // namespace ectoscope
