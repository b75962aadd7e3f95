#include "core/plan.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/hash.h"

namespace ectoscope {
namespace {

using Type = PlanNodeType;

constexpr std::array<std::pair<Type, std::string_view>, 28> kNames = {{
    {Type::kSeqScan, "Seq Scan"},
    {Type::kIndexScan, "Index Scan"},
    {Type::kIndexOnlyScan, "Index Only Scan"},
    {Type::kBitmapHeapScan, "Bitmap Heap Scan"},
    {Type::kBitmapIndexScan, "Bitmap Index Scan"},
    {Type::kTidScan, "Tid Scan"},
    {Type::kSubqueryScan, "Subquery Scan"},
    {Type::kFunctionScan, "Function Scan"},
    {Type::kCteScan, "CTE Scan"},
    {Type::kLimit, "Limit"},
    {Type::kSort, "Sort"},
    {Type::kIncrementalSort, "Incremental Sort"},
    {Type::kAggregate, "Aggregate"},
    {Type::kWindowAgg, "WindowAgg"},
    {Type::kUnique, "Unique"},
    {Type::kHash, "Hash"},
    {Type::kHashJoin, "Hash Join"},
    {Type::kMergeJoin, "Merge Join"},
    {Type::kNestedLoop, "Nested Loop"},
    {Type::kMaterialize, "Materialize"},
    {Type::kMemoize, "Memoize"},
    {Type::kAppend, "Append"},
    {Type::kMergeAppend, "Merge Append"},
    {Type::kGather, "Gather"},
    {Type::kGatherMerge, "Gather Merge"},
    {Type::kModifyTable, "ModifyTable"},
    {Type::kLockRows, "LockRows"},
    {Type::kResult, "Result"},
}};

std::string joined_name(const PlanNode& node) {
  if (node.type == Type::kModifyTable && !node.operation.empty()) return node.operation;
  if (node.type == Type::kAggregate) {
    if (node.strategy == "Hashed") return "HashAggregate";
    if (node.strategy == "Sorted") return "GroupAggregate";
    if (node.strategy == "Mixed") return "MixedAggregate";
  }
  if (node.join_type.empty() || node.join_type == "Inner") return node.name;
  std::string name = node.name;  // "Hash Join" -> "Hash Left Join"
  if (name.ends_with(" Join")) name.erase(name.size() - 5);
  return name + " " + node.join_type + " Join";
}

double wall_ms(const Plan& plan, size_t node) {
  return plan.nodes[node].total_ms / processes_of(plan, node);
}

double removed(const PlanNode& node) {
  return node.removed_by_filter + node.removed_by_join_filter + node.removed_by_recheck;
}

double self_cost(const Plan& plan, size_t node) {
  double cost = plan.nodes[node].total_cost;
  for (size_t i = node + 1; i < plan.nodes.size(); ++i) {
    if (plan.nodes[i].parent == node) cost -= plan.nodes[i].total_cost;
  }
  return cost;
}

}  // namespace

std::string_view name_of(PlanNodeType type) {
  for (const auto& [known, name] : kNames) {
    if (known == type) return name;
  }
  return {};
}

PlanNodeType plan_node_type(std::string_view name) {
  for (const auto& [type, known] : kNames) {
    if (known == name) return type;
  }
  return Type::kOther;
}

std::string label_of(const PlanNode& node) {
  std::string label = node.parallel ? "Parallel " : "";
  label += joined_name(node);
  if (node.backward) label += " Backward";
  if (!node.index.empty()) label += (node.relation.empty() ? " on " : " using ") + node.index;
  if (!node.relation.empty()) {
    label += " on " + (node.schema.empty() ? "" : node.schema + ".") + node.relation;
    if (!node.alias.empty() && node.alias != node.relation) label += " " + node.alias;
  }
  return label;
}

bool reads_table(PlanNodeType type) {
  return type == Type::kSeqScan || type == Type::kIndexScan || type == Type::kIndexOnlyScan ||
         type == Type::kBitmapHeapScan || type == Type::kTidScan;
}

double processes_of(const Plan& plan, size_t node) {
  for (uint32_t at = plan.nodes[node].parent; at != PlanNode::kNoParent;
       at = plan.nodes[at].parent) {
    const PlanNode& above = plan.nodes[at];
    if (above.type == Type::kGather || above.type == Type::kGatherMerge) {
      return above.workers_launched + 1;
    }
  }
  return 1;
}

double self_ms(const Plan& plan, size_t node) {
  if (!plan.nodes[node].timed) return 0;
  double time = wall_ms(plan, node);
  for (size_t i = node + 1; i < plan.nodes.size(); ++i) {
    if (plan.nodes[i].parent == node) time -= wall_ms(plan, i);
  }
  return std::max(time, 0.0);
}

size_t worst_node(const Plan& plan) {
  const auto highest = [&](auto measure) {
    std::pair<size_t, double> best{0, 0};
    for (size_t i = 0; i < plan.nodes.size(); ++i) {
      if (const double value = measure(i); value > best.second) best = {i, value};
    }
    return best;
  };
  const auto by_time = highest([&](size_t i) { return self_ms(plan, i); });
  if (by_time.second > 0) return by_time.first;
  const auto by_waste = highest([&](size_t i) { return removed(plan.nodes[i]); });
  if (by_waste.second > 0) return by_waste.first;
  return highest([&](size_t i) { return self_cost(plan, i); }).first;
}

double rows_read(const PlanNode& node) {
  return node.rows + node.removed_by_filter + node.removed_by_recheck;
}

size_t node_at_fault(const Plan& plan, std::string_view table) {
  std::optional<size_t> most;
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    const PlanNode& node = plan.nodes[i];
    if (table.empty() || !reads_table(node.type) || node.relation != table) continue;
    if (!most || rows_read(node) > rows_read(plan.nodes[*most])) most = i;
  }
  return most ? *most : worst_node(plan);
}

size_t above(const Plan& plan, size_t node, PlanNodeType type) {
  for (uint32_t at = plan.nodes[node].parent; at != PlanNode::kNoParent;
       at = plan.nodes[at].parent) {
    if (plan.nodes[at].type == type) return at;
  }
  return plan.nodes.size();
}

uint64_t structure_of(const Plan& plan) {
  uint64_t hash = 1;
  for (const PlanNode& node : plan.nodes) {
    hash = mix_hash(hash, node.parent);
    for (const std::string* text : {&node.name, &node.relation, &node.index})
      hash = mix_hash(hash, keyed_hash(HashKey{}, *text));
  }
  return hash;
}

}  // namespace ectoscope
