// Fixes for what plans show: indexes, rewrites, settings.
#pragma once

#include <optional>

#include "core/catalog.h"
#include "core/finding.h"

namespace ectoscope {

/// The fix for a remedy that needs the plan; nullopt for the others.  `request.query` is given.
std::optional<Fix> fix_of_plan(const AdviceRequest& request, const Catalog* catalog);

}  // namespace ectoscope
