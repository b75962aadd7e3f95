// The report as JSON, schema 1.
#pragma once

#include <map>
#include <ostream>
#include <string>
#include <string_view>

#include "core/report.h"
#include "outputs/json_writer.h"

namespace ectoscope {

/// Key order, white space and numbers are fixed: equal reports are equal bytes.  Write errors are
/// left in `out`'s state.
void write_json_report(const AnalysisReport& report, std::string_view version, std::ostream& out);

/// The members of one finding, into an object that is open: the same wherever a finding is JSON.
void write_finding_members(JsonWriter& json, const Finding& finding);

/// A statement's shape as the member `name` of an object that is open.
void write_query(JsonWriter& json, std::string_view name, const QueryFacts& query);

/// A count by name as the member `name` of an object that is open.
void write_counts(JsonWriter& json, std::string_view name,
                  const std::map<std::string, uint64_t>& counts);

/// The member "fidelity" of an object that is open.
void write_fidelity(JsonWriter& json, const InputFidelity& fidelity);

/// The members "schema", "tool" and "input" of a document.
void write_report_head(JsonWriter& json, std::string_view version, const InputFacts& input);

}  // namespace ectoscope
