#include "detectors/support/transactions.h"

#include <map>

namespace ectoscope {

bool ends_transaction(const Query& query) {
  return query.transaction == TransactionVerb::kCommit ||
         query.transaction == TransactionVerb::kRollback;
}

bool writes(const Query& query) {
  return !query.system && !query.tables.empty() &&
         (query.operation == Operation::kInsert || query.operation == Operation::kUpdate ||
          query.operation == Operation::kDelete);
}

std::vector<bool> in_transaction(const Trace& trace, const QueryTable& queries) {
  std::vector<bool> inside(trace.executions.size(), trace.grouped_by == GroupedBy::kTransaction);
  std::map<uint64_t, bool> open;          // by session
  std::map<uint64_t, uint32_t> together;  // statements of one virtual transaction
  for (const Execution& execution : trace.executions)
    if (execution.transaction != 0) ++together[execution.transaction];
  for (size_t i = 0; i < inside.size(); ++i) {
    const Execution& execution = trace.executions[i];
    const Query& query = queries[execution.query];
    bool& begun = open[execution.session];
    if (query.transaction == TransactionVerb::kBegin) begun = true;
    // A log may begin inside a transaction: then the virtual xid alone tells.
    const bool shares = execution.transaction != 0 && together[execution.transaction] > 1;
    if (begun || shares || execution.session == 0) inside[i] = true;
    if (ends_transaction(query)) begun = false;
  }
  return inside;
}

}  // namespace ectoscope
