#include "parsers/sql_predicates.h"

#include <algorithm>
#include <array>

namespace ectoscope {
namespace {

// One side of a comparison: the column in it, if any, and whether it stands there bare.
struct Side {
  SqlColumn column;
  bool wrapped = false;
  uint16_t slot = 0;

  [[nodiscard]] bool is_column() const { return !column.column.empty(); }
};

class Reader {
 public:
  Reader(const SqlScope& scope, const SqlSlots& slots, std::vector<Predicate>& out)
      : scope_(scope), slots_(slots), out_(out) {}

  void conjunction(const PgQuery__Node* node) {
    if (node == nullptr) return;
    switch (node->node_case) {
      case PG_QUERY__NODE__NODE_BOOL_EXPR:
        return boolean(*node->bool_expr);
      case PG_QUERY__NODE__NODE_A_EXPR:
        return comparison(*node->a_expr);
      case PG_QUERY__NODE__NODE_NULL_TEST:
        return test(node->null_test->arg,
                    node->null_test->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NULL
                        ? "IS NULL"
                        : "IS NOT NULL");
      case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
        return boolean_test(*node->boolean_test);
      case PG_QUERY__NODE__NODE_SUB_LINK:
        return sub_link(*node->sub_link);
      case PG_QUERY__NODE__NODE_COLUMN_REF:
      case PG_QUERY__NODE__NODE_TYPE_CAST:
        return test(node, "IS TRUE");
      default:
        return;
    }
  }

 private:
  void boolean(const PgQuery__BoolExpr& expr) {
    if (expr.boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) {
      for (const PgQuery__Node* arg : nodes(expr.args, expr.n_args))
        conjunction(arg);
    } else if (expr.boolop == PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR && expr.n_args == 1 &&
               expr.args[0]->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) {
      test(expr.args[0], "IS FALSE");
    }
  }

  void boolean_test(const PgQuery__BooleanTest& expr) {
    static constexpr std::array<const char*, 7> kNames = {
        "", "IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE", "IS UNKNOWN", "IS NOT UNKNOWN"};
    const auto kind = static_cast<size_t>(expr.booltesttype);
    if (kind > 0 && kind < kNames.size()) test(expr.arg, kNames[kind]);
  }

  void test(const PgQuery__Node* arg, const char* op) {
    const Side side = read(arg);
    if (side.is_column()) add(side, op, 0);
  }

  void sub_link(const PgQuery__SubLink& link) {
    const bool any = link.sub_link_type == PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK;
    if (!any || link.testexpr == nullptr) return;
    const Side side = read(link.testexpr);
    if (!side.is_column()) return;
    const std::string_view op = last_name(nodes(link.oper_name, link.n_oper_name));
    add(side, op.empty() ? "=" : std::string(op), 0).list = true;
  }

  void comparison(const PgQuery__AExpr& expr) {
    const std::string_view name = last_name(nodes(expr.name, expr.n_name));
    switch (expr.kind) {
      case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
        return compare(expr, std::string(name));
      case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
        return compare(expr, "IS DISTINCT FROM");
      case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
        return compare(expr, "IS NOT DISTINCT FROM");
      case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
      case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL:
      case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
        return list(expr, std::string(name));
      case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
        return compare(expr, name == "~~" ? "LIKE" : "NOT LIKE");
      case PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE:
        return compare(expr, name == "~~*" ? "ILIKE" : "NOT ILIKE");
      case PG_QUERY__A__EXPR__KIND__AEXPR_SIMILAR:
        return compare(expr, name == "~" ? "SIMILAR TO" : "NOT SIMILAR TO");
      case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
      case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM:
        return between(expr, "BETWEEN");
      case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
      case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM:
        return between(expr, "NOT BETWEEN");
      default:
        return;
    }
  }

  void between(const PgQuery__AExpr& expr, const char* op) {
    const Side side = read(expr.lexpr);
    if (!side.is_column()) return;
    uint16_t slot = 0;
    if (expr.rexpr != nullptr && expr.rexpr->node_case == PG_QUERY__NODE__NODE_LIST &&
        expr.rexpr->list->n_items > 0) {
      slot = slots_.of(expr.rexpr->list->items[0]);
    }
    add(side, op, slot);
  }

  void list(const PgQuery__AExpr& expr, std::string op) {
    const Side side = read(expr.lexpr);
    if (!side.is_column()) return;
    add(side, std::move(op), first_slot(expr.rexpr)).list = true;
  }

  // Of a list's first value: `($1)`, `ARRAY[$1]`, `$1`.
  [[nodiscard]] uint16_t first_slot(const PgQuery__Node* node) const {
    bool wrapped = false;
    node = unwrap(node, wrapped);
    if (node == nullptr) return 0;
    if (node->node_case == PG_QUERY__NODE__NODE_LIST) {
      return node->list->n_items == 0 ? uint16_t{0} : slots_.of(node->list->items[0]);
    }
    if (node->node_case == PG_QUERY__NODE__NODE_A_ARRAY_EXPR) {
      const PgQuery__AArrayExpr& array = *node->a_array_expr;
      return array.n_elements == 0 ? uint16_t{0} : slots_.of(array.elements[0]);
    }
    return slots_.of(node);
  }

  void compare(const PgQuery__AExpr& expr, std::string op) {
    if (op == "!=") op = "<>";
    if (is_row(expr.lexpr) && is_row(expr.rexpr)) return rows(expr, op);
    compare(expr.lexpr, expr.rexpr, op);
  }

  static bool is_row(const PgQuery__Node* node) {
    return node != nullptr && node->node_case == PG_QUERY__NODE__NODE_ROW_EXPR &&
           node->row_expr->n_args > 0;
  }

  // (a, b) = ($1, $2) is two comparisons; (a, b) > ($1, $2) bounds its first column.
  void rows(const PgQuery__AExpr& expr, const std::string& op) {
    const PgQuery__RowExpr& left = *expr.lexpr->row_expr;
    const PgQuery__RowExpr& right = *expr.rexpr->row_expr;
    const size_t pairs = op == "=" ? std::min(left.n_args, right.n_args) : 1;
    for (size_t i = 0; i < pairs; ++i)
      compare(left.args[i], right.args[i], op);
  }

  void compare(const PgQuery__Node* left, const PgQuery__Node* right, const std::string& op) {
    const Side a = read(left);
    const Side b = read(right);
    if (a.is_column() && b.is_column()) {
      add(a, op, 0).join = true;
      add(b, flipped(op), 0).join = true;
    } else if (a.is_column()) {
      add(a, op, b.slot);
    } else if (b.is_column()) {
      add(b, flipped(op), a.slot);
    }
  }

  static std::string flipped(const std::string& op) {
    if (op == "<") return ">";
    if (op == ">") return "<";
    if (op == "<=") return ">=";
    if (op == ">=") return "<=";
    return op;
  }

  // `lower(p0.email)` and `p0.at + interval` are about their first column, wrapped.
  [[nodiscard]] Side read(const PgQuery__Node* node) const {
    Side side;
    side.slot = slots_.of(node);
    if (side.slot != 0 || node == nullptr) return side;
    const PgQuery__Node* inner = unwrap(node, side.wrapped);
    side.column = column_of(inner, scope_);
    if (side.is_column() || inner == nullptr) return side;
    walk_tree(&inner->base, [&](const ProtobufCMessage& message) {
      if (as<PgQuery__SubLink>(message, pg_query__sub_link__descriptor) != nullptr) return false;
      const auto* below = as<PgQuery__Node>(message, pg_query__node__descriptor);
      if (below != nullptr && !side.is_column()) {
        side.column = column_of(below, scope_);
        side.wrapped = side.wrapped || side.is_column();
      }
      return !side.is_column();
    });
    return side;
  }

  Predicate& add(const Side& side, std::string op, uint16_t slot) {
    Predicate& predicate = out_.emplace_back();
    predicate.table = side.column.table;
    predicate.column = side.column.column;
    predicate.op = std::move(op);
    predicate.slot = slot;
    predicate.wrapped = side.wrapped;
    return predicate;
  }

  const SqlScope& scope_;
  const SqlSlots& slots_;
  std::vector<Predicate>& out_;
};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool id_like(std::string_view column) {
  if (column == "id" || column == "uuid" || column == "guid") return true;
  for (const std::string_view end : {"_id", "_uuid", "_guid", "_key"}) {
    if (ends_with(column, end)) return true;
  }
  // camelCase schemas: userId
  return column.size() > 2 && ends_with(column, "Id") && column[column.size() - 3] >= 'a' &&
         column[column.size() - 3] <= 'z';
}

// Columns that say whose data it is, in each query of such an application: the key is another one
// where there is another.
bool scopes_tenant(std::string_view column) {
  for (const std::string_view name : {"tenant_id", "org_id", "organization_id", "organisation_id",
                                      "account_id", "company_id", "workspace_id"}) {
    if (column == name) return true;
  }
  return false;
}

// Higher is better; 0: no key.
int rank(const Query& query, const Predicate& predicate) {
  if (predicate.op != "=" || predicate.join) return 0;
  if (!predicate.list && predicate.slot == 0) return 0;
  if (predicate.wrapped || !id_like(predicate.column)) return 0;
  const bool literal = predicate.slot > query.parameters;
  if (predicate.list && !literal) return scopes_tenant(predicate.column) ? 2 : 5;
  if (scopes_tenant(predicate.column)) return 1;
  if (predicate.list) return 2;
  const bool own_id = predicate.column == "id" && !query.tables.empty() &&
                      (predicate.table == query.tables[0] || predicate.table.empty());
  return own_id ? 4 : 3;
}

// Without an id: the one column compared with a parameter, else the one compared with a literal.
const Predicate* only_equality(const Query& query) {
  for (const bool literal : {false, true}) {
    for (const bool list : {false, true}) {
      const Predicate* only = nullptr;
      size_t found = 0;
      for (const Predicate& predicate : query.predicates) {
        if (predicate.op != "=" || predicate.join || predicate.slot == 0) continue;
        if (predicate.list != list || (predicate.slot > query.parameters) != literal) continue;
        only = &predicate;
        ++found;
      }
      if (found > 0) return found == 1 ? only : nullptr;
    }
  }
  return nullptr;
}

}  // namespace

std::string SqlScope::table_of(std::string_view qualifier) const {
  if (qualifier.empty()) return sources.size() == 1 ? sources[0].table : std::string();
  for (const SqlScope* scope = this; scope != nullptr; scope = scope->outer) {
    for (const Source& source : scope->sources) {
      if (source.name == qualifier) return source.table;
    }
  }
  return {};
}

SqlColumn column_of(const PgQuery__Node* node, const SqlScope& scope) {
  if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) return {};
  const auto fields = nodes(node->column_ref->fields, node->column_ref->n_fields);
  const std::string_view column = last_name(fields);
  if (column.empty()) return {};
  const std::string_view qualifier =
      fields.size() > 1 ? string_of(fields[fields.size() - 2]) : std::string_view();
  return {scope.table_of(qualifier), std::string(column)};
}

void read_predicates(const PgQuery__Node* node, const SqlScope& scope, const SqlSlots& slots,
                     std::vector<Predicate>& out) {
  Reader(scope, slots, out).conjunction(node);
}

void choose_key(Query& query) {
  const Predicate* key = nullptr;
  int best = 0;
  for (const Predicate& predicate : query.predicates) {
    const std::string& op = predicate.op;
    if (op == "<" || op == ">" || op == "<=" || op == ">=" || op == "BETWEEN") query.range = true;
    if (op == "=" && !predicate.list && predicate.slot != 0) {
      query.equal_slots.push_back(predicate.slot);
    }
    if (const int own = rank(query, predicate); own > best) {
      best = own;
      key = &predicate;
    }
  }
  std::sort(query.equal_slots.begin(), query.equal_slots.end());
  query.equal_slots.erase(std::unique(query.equal_slots.begin(), query.equal_slots.end()),
                          query.equal_slots.end());
  if (key == nullptr) key = only_equality(query);
  if (key == nullptr) return;
  query.key_form = key->list ? KeyForm::kList : KeyForm::kSingle;
  query.key_table = key->table;
  query.key_column = key->column;
  query.key_slot = key->slot;
}

}  // namespace ectoscope
