#include "findings/gate.h"

#include <array>
#include <set>
#include <utility>

namespace ectoscope {
namespace {

/// Bounds past which something was not judged, by the reason that they are counted under.
constexpr std::array<std::pair<const char*, const char*>, 3> kBounds = {
    {{"shapes_full", "limits.shapes"},
     {"streams_full", "limits.streams"},
     {"findings_full", "limits.findings"}}};

}  // namespace

std::string blindness(const InputFacts& input) {
  if (input.records == 0) return "The log is empty: is it the one that PostgreSQL wrote to?";
  if (input.statements == 0) {
    return "No statement is in what was read: set log_min_duration_statement = 0 and, if it was "
           "given, look at --since, --until and --database.";
  }
  switch (input.fidelity.statements) {
    case InputFidelity::Statements::kSampled:
      return "The log has only a sample of the statements, so repeats can't be counted: set "
             "log_min_duration_sample = -1 and log_min_duration_statement = 0.";
    case InputFidelity::Statements::kSlowOnly:
      return "The log has only slow statements, and those of an N+1 are fast: set "
             "log_min_duration_statement = 0.";
    case InputFidelity::Statements::kNone:
      return "The log shows no statements that can be judged: set log_min_duration_statement = 0.";
    case InputFidelity::Statements::kAll:
      break;
  }
  for (const auto& [reason, setting] : kBounds) {
    if (input.unparsed.contains(reason)) {
      return std::string("A part was not judged (") + reason + "): raise " + setting + ".";
    }
  }
  return {};
}

Gate judge_gate(const AnalysisReport& report, Severity fail_on, const Baseline* baseline) {
  Gate gate;
  gate.fail_on = fail_on;
  gate.blind = blindness(report.input);
  std::set<std::string> known;
  for (const Finding& finding : report.findings) {
    if (baseline != nullptr && baseline->entries.contains(finding.id)) {
      known.insert(finding.id);
    } else if (finding.severity >= fail_on) {
      gate.failing.push_back(finding.id);
    }
  }
  gate.known.assign(known.begin(), known.end());
  if (baseline != nullptr) {
    for (const IgnoredFinding& ignored : report.ignoring.findings)
      known.insert(ignored.finding.id);
    for (const auto& [id, summary] : baseline->entries) {
      if (!known.contains(id)) gate.gone.push_back({id, summary});
    }
  }
  gate.passed = gate.failing.empty() && gate.blind.empty();
  return gate;
}

}  // namespace ectoscope
