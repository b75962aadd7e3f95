// What a report says besides its findings: what its input hides, the gate, what is ignored, what
// --why was told.
#pragma once

#include <string>
#include <vector>

#include "core/report.h"

namespace ectoscope {

/// A heading and its lines, none of which has been made harmless or escaped yet.
struct ReportNote {
  std::string title;
  std::vector<std::string> lines;
};

/// In the order to show them; empty notes are left out.
std::vector<ReportNote> notes_of(const AnalysisReport& report);

/// What the input lacks, each with what would show it: fidelity's advice, and after it what no
/// setting mends, comments that say which request a statement belongs to.
std::vector<std::string> hidden_by(const InputFidelity& fidelity);

/// The notes on what is ignored, and on rules that do nothing.
std::vector<ReportNote> ignoring_notes(const Ignoring& ignoring);

/// "2 findings fail", "passed: no finding of severity warning or worse": the gate in a sentence.
std::string gate_sentence(const Gate& gate);

/// Whether the gate's baseline has it.
bool is_known(const AnalysisReport& report, const Finding& finding);

}  // namespace ectoscope
