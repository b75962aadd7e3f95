// The pages, each a whole HTML document made from a snapshot.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/control.h"
#include "core/snapshot.h"
#include "outputs/api_json.h"
#include "outputs/finding_filter.h"
#include "outputs/page_frame.h"

namespace ectoscope {

std::string findings_page(const Snapshot& snapshot, const FindingFilter& filter,
                          const PageOptions& options);

/// What `/` shows when its URL says nothing.
FindingFilter default_page_filter();

std::string finding_page(const Snapshot& snapshot, const TrackedFinding& tracked,
                         const std::vector<Control::HistoryHour>& history,
                         const PageOptions& options);

std::string queries_page(const Snapshot& snapshot, const QueryFilter& filter,
                         const PageOptions& options);

/// What is ignored is no finding of the snapshot's any more.
std::string ignored_page(const Snapshot& snapshot, const IgnoredFinding& ignored,
                         const PageOptions& options);

/// Of one kind; all where `kind` is empty.
std::string why_page(const Snapshot& snapshot, const NearlyFound& found, const std::string& kind,
                     const PageOptions& options);

std::string sources_page(const Snapshot& snapshot, const PageOptions& options);

/// For 404 and the like.
std::string message_page(const Snapshot& snapshot, std::string_view title, std::string_view text,
                         const PageOptions& options);

}  // namespace ectoscope
