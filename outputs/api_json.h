// What the HTTP API answers, as JSON documents.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/control.h"
#include "core/snapshot.h"
#include "outputs/finding_filter.h"

namespace ectoscope {

/// The report of `analyze --output=json` (schema 1) over what the daemon holds, a page of it, with
/// the state of each finding.
std::string findings_json(const Snapshot& snapshot, const FindingFilter& filter,
                          std::string_view version);

std::string finding_json(const Snapshot& snapshot, const TrackedFinding& tracked,
                         const std::vector<Control::HistoryHour>& history,
                         std::string_view version);

struct QueryFilter {
  std::string server;  // empty: any
  std::string database;
  size_t offset = 0;
  size_t limit = 100;

  [[nodiscard]] bool matches(const QueryStatistics& query) const;
};

Result<QueryFilter> read_query_filter(const UrlParameters& parameters, QueryFilter filter);

std::string queries_json(const Snapshot& snapshot, const QueryFilter& filter);

std::string sources_json(const Snapshot& snapshot);

/// What was nearly found; of one kind where `kind` is not empty.
std::string near_misses_json(const NearlyFound& found, std::string_view kind);

/// {"error": {"status": 404, "message": "..."}}
std::string error_json(int status, std::string_view message);

}  // namespace ectoscope
