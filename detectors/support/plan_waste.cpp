#include "detectors/support/plan_waste.h"

#include <algorithm>
#include <utility>

#include "detectors/support/join_waste.h"

namespace ectoscope {
namespace {

using Type = PlanNodeType;

/// A b-tree look-up reads a few blocks a row; from here on most of the index was read in vain.
constexpr double kBlocksPerRow = 100;
constexpr double kMinBlocks = 1000;
/// Rows that one look-up of an index may throw away: the inner side of a join, over and over.
constexpr double kRowsPerLookUp = 100;
/// The planner's own figure for that: a row by its key costs about 8.
constexpr double kCostPerRow = 100;
constexpr double kMinCost = 5000;
/// Costs of a row read: at least so many rows stand behind a cost (a block a row, at the worst).
constexpr double kScanCost = 1.1;
constexpr double kIndexCost = 5;

struct RowsRead {
  double removed = 0;
  double kept = 0;
  bool estimated = false;
};

RowsRead rows_of_scan(const Plan& plan, const PlanNode& node) {
  if (plan.analyzed) {
    return {node.removed_by_filter + node.removed_by_recheck, node.rows, false};
  }
  const double cost = node.type == Type::kSeqScan ? kScanCost : kIndexCost;
  const double read = (node.total_cost - node.startup_cost) / cost;
  return {std::max(read - node.plan_rows, 0.0), node.plan_rows, true};
}

/// All partitions of a table count together, with the first of them that is read in the same way;
/// nothing for the others.
RowsRead rows_of_table(const Plan& plan, size_t index, const Query& query) {
  const PlanNode& node = plan.nodes[index];
  const std::string& table = table_read(node, query);
  if (table == node.relation) return rows_of_scan(plan, node);
  RowsRead all;
  bool first = true;
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    const PlanNode& other = plan.nodes[i];
    if (other.type != node.type || table_read(other, query) != table) continue;
    if (std::exchange(first, false) && i != index) return {};
    const RowsRead rows = rows_of_scan(plan, other);
    all = {all.removed + rows.removed, all.kept + rows.kept, rows.estimated};
  }
  return all;
}

bool nearly_all(const RowsRead& rows, const WasteLimits& limits) {
  return rows.removed >= limits.min_removed &&
         rows.removed >= limits.min_ratio * (rows.removed + rows.kept);
}

/// What the filter's conditions can be used for, taken together.
struct FilterUse {
  const PlanCondition* wrapped = nullptr;    // or a free pattern
  const PlanCondition* contained = nullptr;  // what stands inside a column
  bool key = false;                          // equality with an id-like column
  bool equality = false;
  bool range = false;  // or the beginning of a text
  bool flag = false;
};

/// A search in several columns at once: `name ILIKE $1 OR email ILIKE $1`.
bool searches(const PlanNode& node, const Query& query) {
  const auto& alternatives = node.filter.alternatives;
  return !alternatives.empty() &&
         std::all_of(alternatives.begin(), alternatives.end(), [&](const PlanCondition& one) {
           return use_of(one, node, query) == ConditionUse::kFreePattern;
         });
}

FilterUse use_of_filter(const PlanNode& node, const Query& query) {
  FilterUse use;
  for (const PlanCondition& condition : node.filter.conditions) {
    switch (use_of(condition, node, query)) {
      case ConditionUse::kWrapped:
      case ConditionUse::kFreePattern:
        if (use.wrapped == nullptr) use.wrapped = &condition;
        break;
      case ConditionUse::kEquality:
      case ConditionUse::kList:
        use.equality = true;
        use.key = use.key || id_like(condition.column);
        break;
      case ConditionUse::kRange:
      case ConditionUse::kPattern:
        use.range = true;
        break;
      case ConditionUse::kContained:
        if (use.contained == nullptr) use.contained = &condition;
        break;
      case ConditionUse::kFlag:
        use.flag = true;
        break;
      case ConditionUse::kNone:
        break;
    }
  }
  if (use.wrapped == nullptr && searches(node, query)) use.wrapped = &node.filter.alternatives[0];
  return use;
}

/// A look-up by key does more than any expression; an expression by equality more than the rest.
bool unindexable(const FilterUse& use) {
  if (use.wrapped == nullptr || use.key) return false;
  return use.wrapped->op == "=" || !use.equality;
}

std::optional<Waste> waste_by_filter(const Plan& plan, size_t index, const Query& query,
                                     const WasteLimits& limits) {
  const PlanNode& node = plan.nodes[index];
  if (node.filter.empty()) return std::nullopt;
  const RowsRead rows = rows_of_table(plan, index, query);
  if (!nearly_all(rows, limits)) return std::nullopt;
  const bool looks_up = node.type != Type::kSeqScan && !node.index_cond.empty();
  if (looks_up && rows.removed < kRowsPerLookUp * node.loops) return std::nullopt;
  const FilterUse use = use_of_filter(node, query);
  Waste waste{index, WasteKind::kSequential, rows.removed, rows.kept, rows.estimated, nullptr};
  if (unindexable(use)) {
    waste.kind = WasteKind::kUnindexable;
    waste.condition = use.wrapped;
    return waste;
  }
  if (!use.equality && !use.range) waste.condition = use.contained;
  const bool usable = use.equality || use.range || use.contained != nullptr || use.flag;
  if (!usable) return std::nullopt;
  if (node.type != Type::kSeqScan) waste.kind = WasteKind::kIndexOrder;
  return waste;
}

/// By what it read and by what the planner thought that it would: a bloated index shows in the one
/// alone.
std::optional<Waste> waste_in_index(const Plan& plan, size_t index) {
  const PlanNode& node = plan.nodes[index];
  if (node.type != Type::kIndexScan && node.type != Type::kIndexOnlyScan) return std::nullopt;
  if (node.index_cond.conditions.empty() || node.never_run) return std::nullopt;
  const double cost = node.total_cost - node.startup_cost;
  if (cost < kMinCost || cost < kCostPerRow * std::max(node.plan_rows, 1.0)) return std::nullopt;
  Waste waste{index, WasteKind::kIndexColumn, cost, node.plan_rows, !plan.analyzed, nullptr};
  if (!plan.buffers) return waste;
  const double blocks = node.blocks_hit + node.blocks_read;
  if (blocks < kMinBlocks || blocks < kBlocksPerRow * (node.rows + node.loops)) {
    return std::nullopt;
  }
  waste.removed = blocks;
  waste.kept = node.rows;
  return waste;
}

std::optional<Waste> waste_by_join(const Plan& plan, size_t index, const Query& query,
                                   const WasteLimits& limits) {
  std::optional<JoinWaste> joined = waste_in_join(plan, index, query, limits.min_ratio);
  if (!joined || !nearly_all({joined->removed, joined->kept, false}, limits)) return std::nullopt;
  const bool walks = plan.nodes[index].type != Type::kSeqScan;
  return Waste{index,
               walks ? WasteKind::kIndexOrder : WasteKind::kSequential,
               joined->removed,
               joined->kept,
               false,
               nullptr,
               std::move(joined->column)};
}

/// By what the join compares, then what the scan compares with one value, or the order that it was
/// read for.
IndexAdvice index_for_join(const Plan& plan, const Query& query, const Waste& waste) {
  const PlanNode& scan = plan.nodes[waste.node];
  IndexAdvice index{scan.relation, {}, {}, {}, std::nullopt};
  const auto append = [&](const std::string& column) {
    auto& columns = index.columns;
    if (std::find(columns.begin(), columns.end(), column) != columns.end()) return;
    columns.push_back(column);
    index.order.emplace_back("asc");
  };
  append(waste.join_column);
  for (const PlanCondition& condition : scan.filter.conditions) {
    if (use_of(condition, scan, query) == ConditionUse::kEquality) append(condition.column);
  }
  const bool own_order =
      std::all_of(query.order_by.begin(), query.order_by.end(),
                  [&](const OrderColumn& column) { return column.table == scan.relation; });
  if (waste.kind == WasteKind::kIndexOrder && query.has_limit && own_order) {
    for (const OrderColumn& column : query.order_by)
      append(column.column);
  }
  return index;
}

/// LIMIT over a sort, with at most what keeps the order in between; nodes.size() without one.
size_t limit_above(const Plan& plan, size_t sort) {
  for (uint32_t i = plan.nodes[sort].parent; i != PlanNode::kNoParent; i = plan.nodes[i].parent) {
    const Type type = plan.nodes[i].type;
    if (type == Type::kLimit) return i;
    if (type != Type::kGatherMerge && type != Type::kLockRows) break;
  }
  return plan.nodes.size();
}

/// Whether an index could hand the scan's rows out in the statement's order: that is made of plain
/// columns, and what is compared besides has one value or bounds the order itself.
bool could_be_ordered(const Plan& plan, size_t scan, const PlanNode& sort, const Query& query) {
  const auto& order = query.order_by;
  if (order.empty() || query.aggregate || order.size() != sort.sort_key.size()) return false;
  const bool plain =
      std::none_of(sort.sort_key.begin(), sort.sort_key.end(),
                   [](const std::string& key) { return key.find('(') != std::string::npos; });
  if (!plain || plan.nodes[scan].filter.disjunction) return false;
  const auto conditions = conditions_of(plan, scan);
  return std::all_of(conditions.begin(), conditions.end(), [&](const PlanCondition* condition) {
    const ConditionUse use = use_of(*condition, plan.nodes[scan], query);
    return use == ConditionUse::kEquality || use == ConditionUse::kFlag ||
           (use == ConditionUse::kRange && condition->column == order.front().column);
  });
}

std::optional<Waste> waste_in_sort(const Plan& plan, size_t index, const Query& query,
                                   const WasteLimits& limits) {
  const PlanNode& scan = plan.nodes[index];
  if (scan.parent == PlanNode::kNoParent) return std::nullopt;
  const PlanNode& sort = plan.nodes[scan.parent];
  if (sort.type != Type::kSort) return std::nullopt;
  const size_t limit = limit_above(plan, scan.parent);
  if (limit == plan.nodes.size() || !could_be_ordered(plan, index, sort, query)) {
    return std::nullopt;
  }
  const double sorted = plan.analyzed ? scan.rows : scan.plan_rows;
  const double kept = plan.analyzed ? plan.nodes[limit].rows : plan.nodes[limit].plan_rows;
  const RowsRead rows{std::max(sorted - kept, 0.0), kept, !plan.analyzed};
  if (!nearly_all(rows, limits)) return std::nullopt;
  return Waste{index, WasteKind::kSorted, rows.removed, kept, rows.estimated, nullptr};
}

}  // namespace

std::optional<Waste> worst_waste(const Plan& plan, const Query& query, const WasteLimits& limits) {
  std::optional<Waste> worst;
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    if (!reads_table(plan.nodes[i].type)) continue;
    std::optional<Waste> waste = waste_by_filter(plan, i, query, limits);
    if (!waste) waste = waste_in_index(plan, i);
    if (!waste) waste = waste_in_sort(plan, i, query, limits);
    if (!waste) waste = waste_by_join(plan, i, query, limits);
    if (waste && (!worst || waste->removed > worst->removed)) worst = waste;
  }
  return worst;
}

/// The part of the plan's time that its scans of the table took: by the clock, or by rows read.
double share_of_time(const Plan& plan, const std::string& table, const Query& query) {
  const bool timed = plan.root().timed && plan.root().total_ms > 0;
  double own = 0;
  double all = timed ? plan.root().total_ms : 0;
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    const PlanNode& node = plan.nodes[i];
    if (!reads_table(node.type)) continue;
    const double cost = timed ? node.total_ms / processes_of(plan, i) : rows_read(node);
    if (!timed) all += cost;
    if (table_read(node, query) == table) own += cost;
  }
  return all > 0 ? std::min(own / all, 1.0) : 1;
}

Remedy remedy_of(const Waste& waste) {
  return waste.condition == nullptr ? Remedy::kAddIndex : Remedy::kInsideIndex;
}

Observation observe(const std::shared_ptr<const Plan>& plan, const Execution& execution,
                    const Query& query, Micros critical_duration) {
  Observation observation;
  observation.query = query.id;
  observation.severity =
      execution.duration >= critical_duration ? Severity::kCritical : Severity::kWarning;
  observation.confidence = plan != nullptr && plan->analyzed ? 0.95 : 0.6;
  observation.started_at = execution.started_at;
  observation.ended_at = execution.ended_at;
  if (execution.pid != 0) observation.pids = {execution.pid};
  observation.statements = 1;
  observation.repeats = 1;
  observation.database_time = execution.duration;
  observation.plan = plan;
  return observation;
}

Observation observe(const std::shared_ptr<const Plan>& plan, const Execution& execution,
                    const Query& query, const Waste& waste, Micros critical_duration) {
  Observation observation = observe(plan, execution, query, critical_duration);
  const PlanNode& scan = plan->nodes[waste.node];
  observation.table = table_read(scan, query);
  for (const PlanCondition* condition : conditions_of(*plan, waste.node)) {
    if (use_of(*condition, scan, query) == ConditionUse::kNone) continue;
    add_column(observation, observation.table, condition->column);
  }
  if (!waste.join_column.empty()) {
    observation.index = index_for_join(*plan, query, waste);
    observation.confidence -= 0.1;  // what it takes to find the other side's rows is not looked at
    observation.evidence["rows_joined"] = waste.kept;
    for (const std::string& column : observation.index->columns)
      add_column(observation, observation.table, column);
  }
  if (waste.kind == WasteKind::kSorted) {
    for (const OrderColumn& column : query.order_by)
      add_column(observation, observation.table, column.column);
  }
  const double share = waste.removed / (waste.removed + waste.kept + 1) *
                       share_of_time(*plan, observation.table, query);
  observation.saved = Micros(static_cast<int64_t>(
      share * static_cast<double>(std::min(plan->duration, execution.duration).count())));
  if (waste.kind == WasteKind::kIndexColumn) {
    if (plan->buffers) observation.evidence["blocks_read"] = waste.removed;
  } else if (waste.kind == WasteKind::kSorted) {
    observation.evidence["rows_sorted"] = waste.removed + waste.kept;
  } else if (!waste.estimated) {
    observation.evidence["rows_removed"] = waste.removed;
  }
  observation.evidence["rows_kept"] = waste.kept;
  if (waste.estimated) observation.evidence["estimated_cost"] = scan.total_cost;
  return observation;
}

void add_column(Observation& observation, const std::string& table, const std::string& column) {
  if (table.empty() || column.empty()) return;
  std::string name = table + "." + column;
  auto& columns = observation.columns;
  if (std::find(columns.begin(), columns.end(), name) == columns.end()) {
    columns.push_back(std::move(name));
  }
}

}  // namespace ectoscope
