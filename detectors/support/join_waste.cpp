#include "detectors/support/join_waste.h"

#include <algorithm>

#include "core/plan_use.h"

namespace ectoscope {
namespace {

using Type = PlanNodeType;

/// The node of `join` that `node` stands below, or is; and the join: the nearest one above, with
/// nothing but what hands rows on in between.  No join: kNoParent.
struct Joined {
  uint32_t join = PlanNode::kNoParent;
  uint32_t side = 0;
};

Joined join_above(const Plan& plan, size_t node) {
  Joined joined{PlanNode::kNoParent, static_cast<uint32_t>(node)};
  for (uint32_t i = plan.nodes[node].parent; i != PlanNode::kNoParent; i = plan.nodes[i].parent) {
    switch (plan.nodes[i].type) {
      case Type::kHashJoin:
      case Type::kMergeJoin:
      case Type::kNestedLoop:
        joined.join = i;
        return joined;
      case Type::kHash:
      case Type::kSort:
      case Type::kGather:
      case Type::kGatherMerge:
      case Type::kMaterialize:
        joined.side = i;
        break;
      default:
        return {};
    }
  }
  return {};
}

/// All rows of a join's other side, or the most where it has more than two.
double rows_beside(const Plan& plan, const Joined& joined) {
  double rows = 0;
  for (uint32_t i = joined.join + 1; i < plan.nodes.size(); ++i) {
    if (plan.nodes[i].parent == joined.join && i != joined.side)
      rows = std::max(rows, plan.nodes[i].rows);
  }
  return rows;
}

bool below(const Plan& plan, uint32_t node, uint32_t top) {
  while (node != PlanNode::kNoParent && node > top)
    node = plan.nodes[node].parent;
  return node == top;
}

/// The column of the scan's table in `alias.column = other.column`.
const PlanCondition* compared(const PlanClause& clause, const PlanNode& scan) {
  const auto found = std::find_if(
      clause.conditions.begin(), clause.conditions.end(), [&](const PlanCondition& condition) {
        return condition.qualifier == (scan.alias.empty() ? scan.relation : scan.alias) &&
               condition.op == "=" && condition.operand == PlanOperand::kColumn &&
               !condition.list && !condition.function && condition.cast_to.empty();
      });
  return found == clause.conditions.end() ? nullptr : &*found;
}

const PlanCondition* join_condition(const Plan& plan, const Joined& joined, const PlanNode& scan) {
  const PlanNode& join = plan.nodes[joined.join];
  for (const PlanClause* clause : {&join.join_cond, &join.join_filter}) {
    if (const PlanCondition* condition = compared(*clause, scan)) return condition;
  }
  // Of a nested loop the index of the other side has it.
  for (uint32_t i = joined.join + 1; i < plan.nodes.size(); ++i) {
    if (!below(plan, i, joined.join)) continue;
    if (const PlanCondition* condition = compared(plan.nodes[i].index_cond, scan)) return condition;
  }
  return nullptr;
}

}  // namespace

std::optional<JoinWaste> waste_in_join(const Plan& plan, size_t scan, const Query& query,
                                       double min_ratio) {
  const PlanNode& node = plan.nodes[scan];
  const bool unbounded = node.type == Type::kSeqScan || node.type == Type::kIndexScan ||
                         node.type == Type::kIndexOnlyScan;
  if (!plan.analyzed || !unbounded || !node.index_cond.empty()) return std::nullopt;
  if (table_read(node, query) != node.relation) return std::nullopt;  // a partition
  const Joined joined = join_above(plan, scan);
  if (joined.join == PlanNode::kNoParent) return std::nullopt;
  const PlanNode& join = plan.nodes[joined.join];
  const bool drops_rows =
      join.join_type.empty() || join.join_type == "Inner" || join.join_type == "Semi";
  const double few = (1 - min_ratio) * node.rows;
  if (!drops_rows || join.rows > few || rows_beside(plan, joined) > few) return std::nullopt;
  const PlanCondition* const condition = join_condition(plan, joined, node);
  if (condition == nullptr) return std::nullopt;
  return JoinWaste{condition->column, node.rows - join.rows, join.rows};
}

}  // namespace ectoscope
