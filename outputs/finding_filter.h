// Which findings a page or an API call is about, as its URL says it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/snapshot.h"

namespace ectoscope {

struct FindingFilter {
  /// kOpen: active and not acknowledged.
  enum class State : uint8_t { kAll, kActive, kOpen, kAcknowledged, kResolved };

  State state = State::kAll;
  std::string kind;  // empty: any, for each of these
  std::optional<Severity> severity;
  std::string server;
  std::string database;
  std::string team;
  std::string table;
  std::string text;  // somewhere in the summary, a table, a route or the query; case is ignored
  size_t offset = 0;
  size_t limit = 100;

  [[nodiscard]] bool matches(const TrackedFinding& tracked) const;
};

/// "active", "acknowledged" (and active) or "resolved".
std::string_view state_of(const TrackedFinding& tracked);

std::string_view name_of(FindingFilter::State state);

using UrlParameters = std::vector<std::pair<std::string, std::string>>;  // decoded

/// Starts from `filter`, so that its state and limit are the defaults.  The error names the
/// parameter and what is allowed; parameters of other names are errors too.
Result<FindingFilter> read_filter(const UrlParameters& parameters, FindingFilter filter);

/// "?state=active&offset=50", without what `filter` shares with `defaults`; empty when that is all.
std::string url_query(const FindingFilter& filter, const FindingFilter& defaults);

struct FindingPage {
  std::vector<std::shared_ptr<const TrackedFinding>> findings;  // those of this page
  size_t total = 0;                                             // that match
};

FindingPage select_findings(const Snapshot& snapshot, const FindingFilter& filter);

/// Null when there is none of that id.
std::shared_ptr<const TrackedFinding> find_finding(const Snapshot& snapshot, std::string_view id);

}  // namespace ectoscope
