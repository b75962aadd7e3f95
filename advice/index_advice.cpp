#include "advice/index_advice.h"

#include <algorithm>
#include <optional>

#include "advice/ecto_names.h"
#include "core/plan_use.h"

namespace ectoscope {
namespace {

/// A column of the table, and what the query asks of it.
struct Asked {
  std::string column;
  ConditionUse use = ConditionUse::kNone;
  std::string op;        // of a flag
  bool literal = false;  // the statement itself names the value: one of few, most likely
};

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool same_table(std::string_view a, std::string_view b) {
  return a == b || without_prefix(a) == without_prefix(b);
}

/// The scan of the table that throws the most away; nodes.size() without one.
size_t scan_of(const Plan& plan, std::string_view table) {
  size_t best = plan.nodes.size();
  double most = -1;
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    const PlanNode& node = plan.nodes[i];
    if (!reads_table(node.type) || !same_table(node.relation, table)) continue;
    const double weight = node.removed_by_filter + node.removed_by_recheck +
                          (node.total_cost - node.startup_cost) / 1e6;
    if (weight > most) {
      most = weight;
      best = i;
    }
  }
  return best;
}

bool literal_in(const Query& query, std::string_view column) {
  return std::any_of(query.predicates.begin(), query.predicates.end(), [&](const Predicate& it) {
    return it.column == column && it.slot > query.parameters;
  });
}

ConditionUse use_of(const Predicate& predicate) {
  const std::string& op = predicate.op;
  if (predicate.wrapped || predicate.join) return ConditionUse::kNone;
  if (op == "=") return predicate.list ? ConditionUse::kList : ConditionUse::kEquality;
  if (op.starts_with("IS ") && op.find("DISTINCT") == std::string::npos) return ConditionUse::kFlag;
  const bool range = op == "<" || op == ">" || op == "<=" || op == ">=" || op == "BETWEEN";
  return range ? ConditionUse::kRange : ConditionUse::kNone;
}

/// How early a column stands among those compared by equality.
int rank(const Asked& asked) {
  return (asked.literal ? 2 : 0) + (id_like(asked.column) ? 0 : 1);
}

class IndexBuilder {
 public:
  explicit IndexBuilder(const IndexQuestion& question) : question_(question) {
    if (question_.plan != nullptr) scan_ = scan_of(*question_.plan, question_.table);
    question_.plan != nullptr&& scan_ < question_.plan->nodes.size() ? ask_plan() : ask_query();
    std::stable_sort(asked_.begin(), asked_.end(),
                     [](const Asked& a, const Asked& b) { return rank(a) < rank(b); });
  }

  std::vector<IndexAdvice> build() const {
    std::vector<IndexAdvice> all;
    add_usable(make(true), all);
    if (has(ConditionUse::kList) && !order().empty()) add_usable(make(false), all);
    return all;
  }

 private:
  void ask(Asked asked) {
    if (asked.use == ConditionUse::kNone || asked.column.empty()) return;
    for (Asked& known : asked_) {
      if (known.column != asked.column) continue;
      known.use = std::min(known.use, asked.use);  // equality before list before range
      return;
    }
    asked_.push_back(std::move(asked));
  }

  void ask_plan() {
    const PlanNode& scan = question_.plan->nodes[scan_];
    for (const PlanCondition* condition : conditions_of(*question_.plan, scan_)) {
      ask({condition->column, ectoscope::use_of(*condition, scan, question_.query), condition->op,
           literal_in(question_.query, condition->column)});
    }
    // In the statement's order: the planner sorts conditions by what they cost.
    const auto place = [&](const Asked& asked) {
      const auto& predicates = question_.query.predicates;
      return std::find_if(predicates.begin(), predicates.end(),
                          [&](const Predicate& it) { return it.column == asked.column; }) -
             predicates.begin();
    };
    std::stable_sort(asked_.begin(), asked_.end(),
                     [&](const Asked& a, const Asked& b) { return place(a) < place(b); });
  }

  void ask_query() {
    for (const Predicate& it : question_.query.predicates) {
      if (!it.table.empty() && !same_table(it.table, question_.table)) continue;
      ask({it.column, use_of(it), it.op, it.slot > question_.query.parameters});
    }
  }

  [[nodiscard]] bool has(ConditionUse use) const {
    return std::any_of(asked_.begin(), asked_.end(),
                       [&](const Asked& it) { return it.use == use; });
  }

  [[nodiscard]] bool compared(std::string_view column, ConditionUse use) const {
    return std::any_of(asked_.begin(), asked_.end(),
                       [&](const Asked& it) { return it.column == column && it.use == use; });
  }

  /// Whether rows come out of the scan in the order in which they are returned.
  [[nodiscard]] bool order_matters() const {
    const Query& query = question_.query;
    if (query.order_by.empty() || query.aggregate) return false;
    const Plan* plan = question_.plan;
    if (plan == nullptr || scan_ >= plan->nodes.size()) return true;
    return above(*plan, scan_, PlanNodeType::kAggregate) == plan->nodes.size() &&
           above(*plan, scan_, PlanNodeType::kUnique) == plan->nodes.size();
  }

  /// ORDER BY, as far as it is this table's and no column of it has one value anyway.
  [[nodiscard]] std::vector<OrderColumn> order() const {
    std::vector<OrderColumn> columns;
    if (!order_matters()) return columns;
    for (const OrderColumn& column : question_.query.order_by) {
      if (!column.table.empty() && !same_table(column.table, question_.table)) return {};
      if (compared(column.column, ConditionUse::kEquality)) continue;
      if (compared(column.column, ConditionUse::kList)) return {};
      columns.push_back(column);
    }
    return columns;
  }

  [[nodiscard]] const Asked* range() const {
    for (const ConditionUse use : {ConditionUse::kRange, ConditionUse::kPattern}) {
      for (const Asked& asked : asked_) {
        if (asked.use == use) return &asked;
      }
    }
    return nullptr;
  }

  static bool named(const IndexAdvice& index, std::string_view column) {
    return std::find(index.columns.begin(), index.columns.end(), column) != index.columns.end();
  }

  static void append(IndexAdvice& index, const std::string& column, bool descending) {
    if (named(index, column)) return;
    index.columns.push_back(column);
    index.order.emplace_back(descending ? "desc" : "asc");
  }

  void append_equalities(IndexAdvice& index, ConditionUse use) const {
    for (const Asked& asked : asked_) {
      if (asked.use == use) append(index, asked.column, false);
    }
  }

  void append_range(IndexAdvice& index) const {
    const Asked* found = range();
    if (found == nullptr || named(index, found->column)) return;
    const bool pattern = found->use == ConditionUse::kPattern;
    append(index, found->column + (pattern ? " text_pattern_ops" : ""), false);
  }

  /// A b-tree is read in both directions, so only columns that differ need to say theirs.
  static void append_order(IndexAdvice& index, const std::vector<OrderColumn>& order) {
    const bool mixed = std::any_of(order.begin(), order.end(), [&](const OrderColumn& column) {
      return column.descending != order.front().descending;
    });
    for (const OrderColumn& column : order)
      append(index, column.column, mixed && column.descending);
  }

  [[nodiscard]] IndexAdvice make(bool list_first) const {
    IndexAdvice index;
    index.table = question_.table;
    append_equalities(index, ConditionUse::kEquality);
    const bool list = has(ConditionUse::kList);
    if (list && list_first) append_equalities(index, ConditionUse::kList);
    const std::vector<OrderColumn> sorted = order();
    const bool ordered = !sorted.empty() && (!list || !list_first);
    // Without a LIMIT all rows are read: then a range saves more than the order does.
    const Asked* bound = range();
    const bool range_first = bound != nullptr && !question_.query.has_limit && !sorted.empty() &&
                             bound->column != sorted.front().column;
    if (range_first) {
      append_range(index);
    } else if (ordered) {
      append_order(index, sorted);
    }
    if (list && !list_first) append_equalities(index, ConditionUse::kList);
    append_range(index);
    index.where = condition(index);
    return index;
  }

  /// "deleted_at IS NULL": a constant of the statement, so true of each of its executions.
  [[nodiscard]] std::optional<std::string> condition(const IndexAdvice& index) const {
    std::string where;
    for (const Asked& asked : asked_) {
      if (asked.use != ConditionUse::kFlag || named(index, asked.column)) continue;
      std::string one = asked.column + " " + asked.op;
      if (asked.op == "IS TRUE") one = asked.column;
      if (asked.op == "IS NOT TRUE" || asked.op == "IS FALSE") one = "NOT " + asked.column;
      where += (where.empty() ? "" : " AND ") + one;
    }
    if (where.empty()) return std::nullopt;
    return where;
  }

  static void add_usable(IndexAdvice index, std::vector<IndexAdvice>& all) {
    if (!index.columns.empty()) all.push_back(std::move(index));
  }

  const IndexQuestion& question_;
  size_t scan_ = SIZE_MAX;
  std::vector<Asked> asked_;
};

/// Whether `longer` begins with all of `shorter`, in the same directions or all in the other ones.
bool begins_with(const CatalogIndex& longer, const IndexAdvice& shorter) {
  if (longer.columns.size() < shorter.columns.size()) return false;
  bool same = true;
  bool turned = true;
  for (size_t i = 0; i < shorter.columns.size(); ++i) {
    if (lower_case(longer.columns[i]) != lower_case(shorter.columns[i])) return false;
    const bool descending = i < longer.descending.size() && longer.descending[i];
    const bool wanted = shorter.order[i] == "desc";
    same = same && descending == wanted;
    turned = turned && descending != wanted;
  }
  return same || turned;
}

bool extends(const IndexAdvice& index, const CatalogIndex& existing) {
  if (existing.unique || !existing.where.empty() || existing.columns.empty() ||
      existing.columns.size() >= index.columns.size()) {
    return false;
  }
  for (size_t i = 0; i < existing.columns.size(); ++i) {
    if (existing.columns[i] != index.columns[i]) return false;
  }
  return std::all_of(existing.include.begin(), existing.include.end(), [&](const auto& column) {
    return std::find(index.columns.begin(), index.columns.end(), column) != index.columns.end();
  });
}

/// False when the catalog has what it would do.
bool compare_with(const CatalogTable* table, IndexCandidate& candidate) {
  if (table == nullptr) return true;
  for (const CatalogIndex& existing : table->indexes) {
    if (!existing.valid || existing.method != "btree") continue;
    const bool covers_rows = existing.where.empty() || existing.where == candidate.index.where;
    if (covers_rows && begins_with(existing, candidate.index)) return false;
    if (candidate.replaces.empty() && !candidate.index.where &&
        extends(candidate.index, existing)) {
      candidate.replaces = existing.name;
    }
  }
  return true;
}

/// "lower((u0.email)::text)" -> "lower(email)": no alias, no cast that PostgreSQL added itself.
std::string tidy(std::string text, const std::string& qualifier) {
  const auto replace_all = [&](std::string_view what, std::string_view with) {
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at))
      text.replace(at, what.size(), with);
  };
  if (!qualifier.empty()) replace_all(qualifier + ".", "");
  for (const std::string_view cast : {"::text", "::character varying"}) {
    for (size_t at = text.find(cast); at != std::string::npos; at = text.find(cast, at)) {
      const size_t open = text.rfind('(', at);
      const bool bare_column = at > 0 && text[at - 1] == ')' && open != std::string::npos &&
                               text.find(')', open) == at - 1;
      if (!bare_column) {
        at += cast.size();
        continue;
      }
      text.erase(at - 1, cast.size() + 1);
      text.erase(open, 1);
      at = open;
    }
  }
  return text;
}

}  // namespace

std::vector<IndexCandidate> index_candidates(const IndexQuestion& question) {
  std::vector<IndexCandidate> candidates;
  const CatalogTable* table =
      question.catalog == nullptr ? nullptr : question.catalog->table(question.table);
  for (IndexAdvice& index : IndexBuilder(question).build()) {
    IndexCandidate candidate{std::move(index), {}};
    if (compare_with(table, candidate)) candidates.push_back(std::move(candidate));
  }
  return candidates;
}

std::vector<IndexCandidate> index_candidates(const AdviceRequest& request, const Catalog* catalog) {
  if (request.query == nullptr || request.worst == nullptr) return {};
  const Observation& worst = *request.worst;
  if (worst.index) {
    IndexCandidate candidate{*worst.index, {}};
    const CatalogTable* table =
        catalog == nullptr ? nullptr : catalog->table(candidate.index.table);
    if (!compare_with(table, candidate)) return {};
    return {std::move(candidate)};
  }
  if (worst.table.empty() && request.query->tables.empty()) return {};
  const std::string_view table =
      worst.table.empty() ? std::string_view(request.query->tables[0]) : worst.table;
  return index_candidates(IndexQuestion{*request.query, worst.plan.get(), table, catalog});
}

std::string indexable_expression(const Plan& plan, const Query& query, std::string_view table) {
  const size_t scan = scan_of(plan, table);
  if (scan == plan.nodes.size()) return {};
  for (const PlanCondition* condition : conditions_of(plan, scan)) {
    const ConditionUse use = use_of(*condition, plan.nodes[scan], query);
    if (use != ConditionUse::kWrapped && use != ConditionUse::kFreePattern) continue;
    std::string text = tidy(condition->expression, condition->qualifier);
    return text.find('?') == std::string::npos ? text : std::string();
  }
  return {};
}

}  // namespace ectoscope
