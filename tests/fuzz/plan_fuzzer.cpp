// Any bytes as a plan, in either format: a bounded tree or a problem, never a crash, and reading it
// again gives the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parsers/plan_reader.h"

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

void check(const ectoscope::Plan& plan) {
  using ectoscope::PlanLimits;
  require(!plan.nodes.empty() && plan.nodes.size() <= PlanLimits::kNodes);
  require(plan.triggers.size() <= PlanLimits::kTriggers);
  size_t bytes = 0;
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    const ectoscope::PlanNode& node = plan.nodes[i];
    require(i == 0 || node.parent < i);
    require(node.depth <= PlanLimits::kDepth);
    require(node.filter.conditions.size() <= PlanLimits::kConditions);
    bytes += node.filter.text.size() + node.index_cond.text.size();
  }
  require(bytes <= PlanLimits::kAllText + PlanLimits::kText);
  require(ectoscope::worst_node(plan) < plan.nodes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ectoscope;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const PlanReading first = read_plan(text, Micros(1000));
  require((first.plan == nullptr) == (first.problem != PlanProblem::kNone));
  if (first.plan == nullptr) return 0;
  check(*first.plan);
  const PlanReading second = read_plan(text, Micros(1000));
  require(second.plan->structure == first.plan->structure);
  return 0;
}
