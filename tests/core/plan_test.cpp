#include "core/plan.h"

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

PlanNode scan(const char* relation, double rows, double removed) {
  PlanNode node;
  node.type = PlanNodeType::kSeqScan;
  node.relation = relation;
  node.rows = rows;
  node.removed_by_filter = removed;
  return node;
}

TEST(Plan, TheNodeAtFaultReadsTheTableOfTheFix) {
  Plan plan;
  plan.nodes = {scan("drivers", 0, 3000), scan("rides", 10, 20), scan("rides", 500, 0)};
  EXPECT_EQ(node_at_fault(plan, "rides"), 2U) << "the scan that reads the most of it";
  EXPECT_EQ(node_at_fault(plan, ""), 0U) << "the worst of all";
  EXPECT_EQ(node_at_fault(plan, "order_items"), 0U) << "a foreign key's trigger reads it";
}

}  // namespace
}  // namespace ectoscope
