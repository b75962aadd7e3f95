// A plan put together field by field, by EXPLAIN's own names for them.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/plan.h"
#include "parsers/plan_clause.h"

namespace ectoscope {

/// Nodes are opened and closed as brackets are; fields go to the node that was opened last.  What
/// is over PlanLimits is left out and counted; an unknown field is ignored.
///
/// Threads: one object, one thread.
class PlanBuilder {
 public:
  PlanBuilder() : plan_(std::make_shared<Plan>()) {}

  /// False when the tree is deeper than PlanLimits::kDepth.
  bool open_node();
  void close_node();
  [[nodiscard]] size_t depth() const { return open_.size(); }

  void text(std::string_view field, std::string_view value);
  void item(std::string_view field, std::string_view value);  // one of a list
  void number(std::string_view field, double value);
  void flag(std::string_view field, bool value);

  void trigger(PlanTrigger trigger);

  /// The plan with its totals; null when it has no node.  Nothing may follow.
  std::shared_ptr<const Plan> finish(Micros duration);

 private:
  PlanNode* current();
  PlanClause clause(std::string_view value);
  std::string key(std::string_view value);
  size_t room() const;
  void multiply(PlanNode& node) const;
  [[nodiscard]] bool stops_early(size_t index) const;
  [[nodiscard]] PlanValues values() const;

  std::shared_ptr<Plan> plan_;
  std::vector<uint32_t> open_;  // index, or kLeftOut
  ClauseFacts facts_;
  std::vector<uint16_t> internal_;  // parameters that the plan itself sets: $0 of an InitPlan
  size_t text_bytes_ = 0;
};

}  // namespace ectoscope
