// What turns SQL into shapes, as those who only ask see it.
#pragma once

#include <functional>
#include <string_view>

#include "core/query.h"
#include "parsers/sql_shapes.h"

namespace ectoscope {

/// What the builder resolves SQL with.
struct SqlResolver {
  std::function<const ResolvedSql&(std::string_view)> resolve;
  const QueryTable& queries;
};

}  // namespace ectoscope
