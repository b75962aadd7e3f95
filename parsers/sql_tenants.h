// One schema a tenant: the same statement runs in hundreds of them, and is one problem in all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/glob.h"
#include "parsers/sql_skeleton.h"

namespace ectoscope {

/// Threads: any, when not changed.
class TenantSchemas {
 public:
  /// Globs with commas between.  Each begins with two characters and more: a shorter one would take
  /// aliases for schemas.
  explicit TenantSchemas(std::string_view globs) : globs_(globs_in(globs)) {}

  /// Puts the first glob that fits in place of a schema's name: "tenant_7"."posts" becomes
  /// "tenant_*"."posts".  A name that the statement gives to something (AS) is none.  Returns the
  /// names, each after a NUL.
  std::string fold(SqlSkeleton& skeleton) const;

 private:
  struct Edit {
    uint32_t begin = 0;  // of the name in the text, with its quotes
    uint32_t end = 0;
    std::string_view name;
    const std::string* glob = nullptr;
  };
  class Shift;

  [[nodiscard]] std::vector<Edit> find(std::string_view sql) const;
  [[nodiscard]] bool may_have_any(std::string_view sql) const;
  [[nodiscard]] const std::string* glob_of(std::string_view name) const;

  std::vector<std::string> globs_;
};

}  // namespace ectoscope
