// Fixes that are indexes: which one, as SQL and as a migration.
#pragma once

#include "core/catalog.h"
#include "core/finding.h"

namespace ectoscope {

/// A b-tree for what the plan's scan compares and the order that it wants.
Fix add_index(const AdviceRequest& request, const Catalog* catalog);

/// For LIKE '%...%'.
Fix trigram(const AdviceRequest& request, const Catalog* catalog);

/// On the expression that the column stands in.
Fix expression_index(const AdviceRequest& request);

/// For what stands inside the column: a key of jsonb, an element of an array, a word.
Fix inside_index(const AdviceRequest& request, const Catalog* catalog);

}  // namespace ectoscope
