// N+1 reads by their numbers alone: a look-up by key that runs once for each row of another query.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include "core/finding.h"
#include "core/query.h"
#include "core/statement_sample.h"

namespace ectoscope {

/// For servers whose log does not show the statements.  A pair of shapes is suspected when names
/// say that one refers to the other, and in several polls in a row the look-up ran as often as the
/// other query gave rows.
///
/// State is bounded.  Threads: one at a time.
class RatioSuspects {
 public:
  /// `min_rows`: of the parent, per call.
  explicit RatioSuspects(uint64_t min_rows) : min_rows_(min_rows) {}

  void judge(std::span<const StatementSample> samples, const QueryTable& queries, Report& report);

 private:
  struct Pair {
    int64_t in_a_row = 0;
    uint64_t poll = 0;
  };

  [[nodiscard]] bool can_be_parent(const StatementSample& sample, const Query& query) const;

  const uint64_t min_rows_;
  uint64_t polls_ = 0;
  /// By database, child and parent.
  std::map<std::pair<uint32_t, std::pair<QueryId, QueryId>>, Pair> pairs_;
};

}  // namespace ectoscope
