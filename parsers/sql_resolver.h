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
  /// A schema's name as reports have it, see SqlShapes.
  std::function<std::string_view(std::string_view)> shown_schema = [](std::string_view name) {
    return name;
  };
};

}  // namespace ectoscope
