#include "parsers/plan_reader.h"

namespace ectoscope {

std::string_view name_of(PlanProblem problem) {
  switch (problem) {
    case PlanProblem::kCutOff:
      return "plan_cut_off";
    case PlanProblem::kTooDeep:
      return "plan_too_deep";
    case PlanProblem::kNotJson:
      return "plan_not_json";
    case PlanProblem::kFormat:
      return "plan_format";
    case PlanProblem::kNone:
      break;
  }
  return {};
}

PlanReading read_plan(std::string_view text, Micros duration) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {nullptr, PlanProblem::kCutOff};
  text.remove_prefix(begin);
  if (text[0] == '{') return read_json_plan(text, duration);
  constexpr std::string_view kYamlQuote = "Query Text: \"";
  if (text.starts_with("Query Text: ") && !text.starts_with(kYamlQuote)) {
    return read_text_plan(text, duration);
  }
  return {nullptr, PlanProblem::kFormat};
}

}  // namespace ectoscope
