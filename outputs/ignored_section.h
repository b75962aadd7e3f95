// What the daemon found and tells nobody, because a rule or a comment says so.
#pragma once

#include "core/snapshot.h"
#include "outputs/html.h"

namespace ectoscope {

/// Of all servers together.
Ignoring all_ignored(const Snapshot& snapshot);

/// Folded lists at the end of a page; nothing where nothing is ignored.
void ignored_section(HtmlWriter& html, const Snapshot& snapshot);

}  // namespace ectoscope
