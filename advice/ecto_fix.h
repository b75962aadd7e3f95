// The change that mends a problem, in Ecto's words.
#pragma once

#include <string>
#include <vector>

#include "core/catalog.h"
#include "core/finding.h"
#include "core/query.h"

namespace ectoscope {

/// What to do about a problem.  With a catalog no index is advised that exists, and one that an
/// advised index makes needless is named.
Fix advise(const AdviceRequest& request, const Catalog* catalog = nullptr);

/// What to do about a loop over `child`, whose parents came from `parent` (null: not known), and
/// whose columns `varying` ("tasks.status") changed from one run to the next (empty: not known).
///
/// Names of schemas and associations are guessed from tables and keys by Ecto's conventions, and
/// the wording says "if" wherever the key does not tell.  Only names from the statements are used,
/// never a value.
Fix advise(Remedy remedy, const Query& child, const Query* parent,
           const std::vector<std::string>& varying = {});

}  // namespace ectoscope
