// Plans by hand, for the detectors' tests.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "core/plan.h"
#include "tests/detectors/trace_builder.h"

namespace ectoscope {

/// The numbers of a node, as totals.
struct Rows {
  double found = 0;
  double removed = 0;
  double expected = 1;
  double loops = 1;
  double cost = 100;
  double blocks = 10;
};

/// Each node is below the one before it.
class PlanMaker {
 public:
  PlanMaker() {
    plan_.analyzed = true;
    plan_.buffers = true;
    plan_.duration = Micros(100'000);
    plan_.values = PlanValues::kCustom;
  }

  PlanMaker& node(PlanNodeType type, Rows rows = {}, const std::string& relation = "") {
    PlanNode node;
    if (!plan_.nodes.empty()) {
      node.parent = static_cast<uint32_t>(plan_.nodes.size() - 1);
      node.depth = plan_.nodes.back().depth + 1;
      const PlanNode& above = plan_.nodes.back();
      node.stops_early = above.stops_early || above.type == PlanNodeType::kLimit;
    }
    node.type = type;
    node.name = name_of(type);
    node.relation = relation;
    node.rows = rows.found;
    node.removed_by_filter = rows.removed;
    node.plan_rows = rows.expected;
    node.loops = rows.loops;
    node.total_cost = rows.cost;
    node.blocks_hit = rows.blocks;
    plan_.nodes.push_back(std::move(node));
    return *this;
  }

  /// A condition of the latest node's filter, or of its index.
  PlanMaker& where(const std::string& column, const std::string& op = "=",
                   PlanOperand operand = PlanOperand::kLiteral) {
    in_filter_ = true;
    return add(plan_.nodes.back().filter, column, op, operand);
  }
  PlanMaker& index_on(const std::string& column, const std::string& op = "=",
                      PlanOperand operand = PlanOperand::kLiteral) {
    in_filter_ = false;
    return add(plan_.nodes.back().index_cond, column, op, operand);
  }

  /// An alternative of the latest node's OR.
  PlanMaker& either(const std::string& column, const std::string& op) {
    PlanClause& filter = plan_.nodes.back().filter;
    where(column, op);
    PlanCondition condition = filter.conditions.back();
    if (op == "~~*") condition.pattern = PlanPattern::kUnknown;
    filter.conditions.pop_back();
    filter.disjunction = true;
    filter.alternatives.push_back(std::move(condition));
    return *this;
  }

  /// Of the latest condition.
  template <typename Change>
  PlanMaker& but(Change change) {
    PlanNode& node = plan_.nodes.back();
    change((in_filter_ ? node.filter : node.index_cond).conditions.back());
    return *this;
  }

  /// Of the whole plan.
  template <typename Change>
  PlanMaker& whole(Change change) {
    change(plan_);
    return *this;
  }

  [[nodiscard]] std::shared_ptr<const Plan> make() const {
    Plan plan = plan_;
    plan.structure = structure_of(plan);
    return std::make_shared<const Plan>(std::move(plan));
  }

 private:
  PlanMaker& add(PlanClause& clause, const std::string& column, const std::string& op,
                 PlanOperand operand) {
    PlanCondition condition;
    condition.column = column;
    condition.expression = column;
    condition.op = op;
    condition.operand = operand;
    clause.text += "(" + column + ")";
    clause.conditions.push_back(condition);
    return *this;
  }

  Plan plan_;
  bool in_filter_ = true;  // the latest condition is
};

/// An execution of the query, a second after the one before.
inline Execution ran(const Query& query, Micros duration = Micros(100'000), uint16_t flags = 0) {
  static uint64_t position = 0;
  Execution execution;
  execution.position = ++position;
  execution.query = query.id;
  execution.started_at = EventTime(std::chrono::seconds(1'700'000'000 + position));
  execution.ended_at = execution.started_at + duration;
  execution.duration = duration;
  execution.flags = flags;
  execution.pid = 100;
  return execution;
}

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order in which cases are read
struct PlanCase {
  const char* why;
  PlanMaker plan;
  bool found;
  Micros duration{100'000};
  uint16_t flags = 0;
};

/// Each case by itself, for one query.
inline void expect_found(std::string_view detector, const Query& query,
                         std::span<const PlanCase> cases) {
  for (const PlanCase& one : cases) {
    Probe probe(detector);
    probe.explain(one.plan.make(), ran(query, one.duration, one.flags), query);
    EXPECT_EQ(probe.observations.size(), one.found ? 1U : 0U) << one.why;
  }
}

/// What one plan only nearly showed: "min_removed_rows 9999 of 10000"; "" where nothing was told.
inline std::string nearly(std::string_view detector, const Query& query, const PlanMaker& plan,
                          Micros duration = Micros(100'000)) {
  Probe probe(detector);
  probe.explain(plan.make(), ran(query, duration), query);
  EXPECT_TRUE(probe.observations.empty());
  if (probe.near_misses.empty()) return "";
  EXPECT_EQ(probe.near_misses.size(), 1U);
  const NearMiss& miss = probe.near_misses[0];
  EXPECT_FALSE(miss.why.empty());
  char numbers[64];
  std::snprintf(numbers, sizeof numbers, " %.4g of %.4g", miss.value, miss.wanted);
  return std::string(miss.option) + numbers;
}

}  // namespace ectoscope
