// Queries and plans of one scan, for the tests of what is advised.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/plan.h"
#include "core/query.h"

namespace ectoscope {

inline Query select(const std::string& table) {
  Query query;
  query.operation = Operation::kSelect;
  query.parsed = true;
  query.tables = {table};
  query.parameters = 9;
  return query;
}

inline PlanCondition condition(const std::string& column, const std::string& op = "=") {
  PlanCondition one;
  one.column = column;
  one.expression = column;
  one.op = op;
  one.operand = PlanOperand::kLiteral;
  return one;
}

inline Plan scan(const std::string& table, std::vector<PlanCondition> conditions) {
  Plan plan;
  plan.analyzed = true;
  PlanNode node;
  node.type = PlanNodeType::kSeqScan;
  node.name = "Seq Scan";
  node.relation = table;
  node.alias = "t0";
  node.filter.text = "(...)";
  node.filter.conditions = std::move(conditions);
  plan.nodes.push_back(std::move(node));
  return plan;
}

inline PlanCondition flag(const std::string& column, const std::string& op) {
  PlanCondition one = condition(column, op);
  one.operand = PlanOperand::kNone;
  return one;
}

inline PlanCondition listed(const std::string& column) {
  PlanCondition one = condition(column);
  one.list = true;
  return one;
}

inline Query ordered(Query query, std::vector<OrderColumn> order, bool limit = true) {
  query.order_by = std::move(order);
  query.has_limit = limit;
  return query;
}

}  // namespace ectoscope
