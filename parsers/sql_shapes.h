// From a statement's text to its shape: comment stripped and read, text looked up in two caches,
// libpg_query asked only for what neither knows.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/execution.h"
#include "core/hash.h"
#include "core/query.h"
#include "core/routes.h"

namespace ectoscope {

/// What one statement's text says.  The span is valid until the next resolve(), and its views,
/// which point into the text, no longer than that.
struct ResolvedSql {
  QueryId query = kNoQuery;  // kNoQuery: empty text, or the table of shapes is full
  TraceId trace_id;          // from a valid traceparent
  uint64_t request_tag = 0;  // keyed hash of request_id; 0: none
  uint32_t route = 0;        // in `routes`: what the comment tells of route and place; 0: none
  bool commented = false;    // any comment stood in the text
  bool ignored = false;      // ectoscope:ignore
  /// The literals in the order of the text, as written but without quotes; slot = parameters + 1 +
  /// index. Only filled when the shape has literals.
  std::span<const std::string_view> literals;
};

/// The limits are of what libpg_query, which a long enough chain of operators crashes, gets to see
/// of a statement: all are measured on its skeleton, so long literals and lists don't count.  What
/// is over one of them is read by its words alone.
struct SqlSettings {
  size_t max_statement_bytes = 1U << 20U;
  size_t max_tokens = 10'000;
  size_t max_depth = 200;       // of brackets and CASE
  size_t max_height = 500;      // of an expression's tree: operators, joins, UNIONs in a row
  size_t exact_cache = 20'000;  // texts
  size_t skeleton_cache = 100'000;
  std::vector<std::string> tenant_schemas;  // globs, see TenantSchemas
};

/// Threads: one at a time; several objects may share `queries`.  The references must outlive it.
class SqlShapes {
 public:
  SqlShapes(QueryTable& queries, Routes& routes, const HashKey& key, SqlSettings settings = {});
  ~SqlShapes();
  SqlShapes(const SqlShapes&) = delete;
  SqlShapes& operator=(const SqlShapes&) = delete;

  /// Never fails: text that libpg_query refuses gets a shape from its skeleton, counted in
  /// counts().
  const ResolvedSql& resolve(std::string_view sql);

  /// A schema's name as reports have it: a tenant's is the glob that it fits.  Valid as long as
  /// `name` and this.
  [[nodiscard]] std::string_view shown_schema(std::string_view name) const;

  /// By reason: "sql_refused", "sql_too_long", "sql_too_deep", "bad_traceparent", "shapes_full" ...
  [[nodiscard]] const std::map<std::string, uint64_t, std::less<>>& counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ectoscope
