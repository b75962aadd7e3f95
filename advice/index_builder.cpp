#include "advice/index_builder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "advice/ecto_names.h"
#include "advice/statement_text.h"
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

bool same_table(std::string_view a, std::string_view b) {
  return a == b || without_prefix(a) == without_prefix(b);
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
    if (question_.plan != nullptr) {
      scan_ = scan_of(*question_.plan, question_.query, question_.table);
    }
    question_.plan != nullptr&& scan_ < question_.plan->nodes.size() ? ask_plan() : ask_query();
    std::stable_sort(asked_.begin(), asked_.end(),
                     [](const Asked& a, const Asked& b) { return rank(a) < rank(b); });
  }

  std::vector<BuiltIndex> build() const {
    std::vector<BuiltIndex> all;
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
  [[nodiscard]] std::vector<Sorted> order() const {
    std::vector<Sorted> columns;
    if (!order_matters()) return columns;
    const std::vector<NullsAt> nulls = nulls_of_order(question_.query.text);
    const auto& all = question_.query.order_by;
    for (size_t i = 0; i < all.size(); ++i) {
      const OrderColumn& column = all[i];
      if (!column.table.empty() && !same_table(column.table, question_.table)) return {};
      if (compared(column.column, ConditionUse::kEquality)) continue;
      if (compared(column.column, ConditionUse::kList)) return {};
      const bool told = i < nulls.size() && nulls[i] != NullsAt::kDefault;
      columns.push_back({column.column, column.descending,
                         told ? nulls[i] == NullsAt::kFirst : column.descending});
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

  static void append(IndexAdvice& index, const std::string& column, std::string order = "asc") {
    if (named(index, column)) return;
    index.columns.push_back(column);
    index.order.push_back(std::move(order));
  }

  void append_equalities(IndexAdvice& index, ConditionUse use) const {
    for (const Asked& asked : asked_) {
      if (asked.use == use) append(index, asked.column);
    }
  }

  void append_range(IndexAdvice& index) const {
    const Asked* found = range();
    if (found == nullptr || named(index, found->column)) return;
    const bool pattern = found->use == ConditionUse::kPattern;
    append(index, found->column + (pattern ? " text_pattern_ops" : ""));
  }

  /// A b-tree is read in both directions, so only columns that differ need to say theirs.
  static void append_order(BuiltIndex& built, const std::vector<Sorted>& sorted) {
    const bool plain = std::all_of(sorted.begin(), sorted.end(), [&](const Sorted& column) {
      return column.descending == sorted.front().descending &&
             column.nulls_first == column.descending;
    });
    built.sorted_from = built.index.columns.size();
    for (const Sorted& column : sorted) {
      if (named(built.index, column.column)) continue;  // ORDER BY a, a
      append(built.index, column.column, plain ? "asc" : column.order());
      built.sorted.push_back(column);
    }
  }

  [[nodiscard]] BuiltIndex make(bool list_first) const {
    BuiltIndex built;
    IndexAdvice& index = built.index;
    index.table = question_.table;
    append_equalities(index, ConditionUse::kEquality);
    const bool list = has(ConditionUse::kList);
    if (list && list_first) append_equalities(index, ConditionUse::kList);
    const std::vector<Sorted> sorted = order();
    const bool ordered = !sorted.empty() && (!list || !list_first);
    // Without a LIMIT all rows are read: then a range saves more than the order does.
    const Asked* bound = range();
    const bool range_first = bound != nullptr && !question_.query.has_limit && !sorted.empty() &&
                             bound->column != sorted.front().column;
    if (range_first) {
      append_range(index);
    } else if (ordered) {
      append_order(built, sorted);
    }
    if (list && !list_first) append_equalities(index, ConditionUse::kList);
    append_range(index);
    index.where = condition(index);
    if (index.columns.empty() && index.where) append_flag(index);
    return built;
  }

  /// Where the condition says all, one of its own columns does.
  void append_flag(IndexAdvice& index) const {
    for (const Asked& asked : asked_) {
      if (asked.use == ConditionUse::kFlag) return append(index, asked.column);
    }
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

  static void add_usable(BuiltIndex built, std::vector<BuiltIndex>& all) {
    if (!built.index.columns.empty()) all.push_back(std::move(built));
  }

  const IndexQuestion& question_;
  size_t scan_ = SIZE_MAX;
  std::vector<Asked> asked_;
};

}  // namespace

size_t scan_of(const Plan& plan, const Query& query, std::string_view table) {
  size_t best = plan.nodes.size();
  double most = -1;
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    const PlanNode& node = plan.nodes[i];
    if (!reads_table(node.type) || !same_table(table_read(node, query), table)) continue;
    const double weight = node.removed_by_filter + node.removed_by_recheck +
                          (node.total_cost - node.startup_cost) / 1e6;
    if (weight > most) {
      most = weight;
      best = i;
    }
  }
  return best;
}

std::vector<BuiltIndex> build_indexes(const IndexQuestion& question) {
  return IndexBuilder(question).build();
}

}  // namespace ectoscope
