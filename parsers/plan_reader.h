// Plans of auto_explain, from its JSON and its text format.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/plan.h"

namespace ectoscope {

enum class PlanProblem : uint8_t {
  kNone,
  kCutOff,   // ends before the tree does
  kTooDeep,  // PlanLimits::kDepth
  kNotJson,  // begins as JSON and is none
  kFormat    // YAML, XML, or no plan at all
};
inline constexpr size_t kPlanProblems = 5;

/// "plan_cut_off", ...: what a drop is counted under; empty for kNone.
std::string_view name_of(PlanProblem problem);

struct PlanReading {
  std::shared_ptr<const Plan> plan;  // null when there is a problem
  PlanProblem problem = PlanProblem::kNone;
};

/// Reads what follows "duration: X ms  plan:".  Costs memory for the tree alone, whatever the size
/// of the text; nothing in the result points into `text`, and no literal of it is left.
PlanReading read_plan(std::string_view text, Micros duration);

/// Its two forms; `text` begins at the first brace, or at "Query Text: ".
PlanReading read_json_plan(std::string_view text, Micros duration);
PlanReading read_text_plan(std::string_view text, Micros duration);

}  // namespace ectoscope
