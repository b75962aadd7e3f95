// One schema a tenant: the same statement runs in hundreds of them, and is one problem in all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parsers/sql_skeleton.h"

namespace ectoscope {

/// Threads: any, when not changed.
class TenantSchemas {
 public:
  /// Each glob begins with two characters and more: a shorter one would take aliases for schemas.
  explicit TenantSchemas(std::vector<std::string> globs) : globs_(std::move(globs)) {}

  /// The first glob that `schema` fits, else `schema`.
  [[nodiscard]] std::string_view shown(std::string_view schema) const;

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
