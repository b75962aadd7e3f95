// What a plan's scans read in vain.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/execution.h"
#include "core/finding.h"
#include "core/plan.h"
#include "core/plan_use.h"
#include "core/query.h"

namespace ectoscope {

enum class WasteKind : uint8_t {
  kSequential,   // a sequential scan whose filter an index could do
  kIndexOrder,   // an index read for its order alone, or for a part of the condition
  kIndexColumn,  // an index read through: the condition leaves out its first columns
  kSorted,       // many rows are sorted for the first few: no index has their order
  kUnindexable   // no plain index can do the filter: a function, a cast, a leading wildcard
};

struct WasteLimits {
  double min_removed = 10'000;  // rows
  double min_ratio = 0.99;      // of the rows read
};

struct Waste {
  size_t node = 0;  // the scan in Plan::nodes
  WasteKind kind = WasteKind::kSequential;
  double removed = 0;                        // rows, all loops; of kIndexColumn: blocks read; of
                                             // kSorted: rows sorted in vain
  double kept = 0;                           // rows
  bool estimated = false;                    // from costs: log_analyze was off
  const PlanCondition* condition = nullptr;  // that no b-tree can do, where none else can be done
  std::string join_column = {};              // a join throws the rows away: by this column
};

/// The scan of the plan that the most is thrown away of, if that is nearly all it reads; points
/// into the plan.
std::optional<Waste> worst_waste(const Plan& plan, const Query& query, const WasteLimits& limits);

/// What mends the scan: an index of a kind that looks inside its columns, or a plain one.
Remedy remedy_of(const Waste& waste);

/// An observation of this execution with what all kinds about plans have in common; the plan may be
/// null.
Observation observe(const std::shared_ptr<const Plan>& plan, const Execution& execution,
                    const Query& query, Micros critical_duration);

/// The same about one scan: its table, what was removed, and what an index would save.
Observation observe(const std::shared_ptr<const Plan>& plan, const Execution& execution,
                    const Query& query, const Waste& waste, Micros critical_duration);

/// Adds "table.column", once.
void add_column(Observation& observation, const std::string& table, const std::string& column);

}  // namespace ectoscope
