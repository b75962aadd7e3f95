// The indexes that a query asks for, whatever exists: the columns and their order.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "advice/index_advice.h"

namespace ectoscope {

/// A column of an index that is there for its order.  Turned over it is what the index gives when
/// it is read backward.
struct Sorted {
  std::string column;
  bool descending = false;
  bool nulls_first = false;

  /// "desc nulls last"; NULLs are told only where PostgreSQL would put them elsewhere by itself.
  [[nodiscard]] std::string order() const {
    std::string text = descending ? "desc" : "asc";
    if (nulls_first != descending) text += nulls_first ? " nulls first" : " nulls last";
    return text;
  }
};

/// An index, and which of its columns are there for their order.
struct BuiltIndex {
  IndexAdvice index;
  std::vector<Sorted> sorted;
  size_t sorted_from = 0;
};

/// The likeliest first; see index_candidates().
std::vector<BuiltIndex> build_indexes(const IndexQuestion& question);

/// The scan of the table, or of a partition of it, that throws the most away; nodes.size() without
/// one.
size_t scan_of(const Plan& plan, const Query& query, std::string_view table);

}  // namespace ectoscope
