#include "detectors/support/transactions.h"

#include <algorithm>

namespace ectoscope {

bool writes(const Query& query) {
  return !query.system && !query.tables.empty() &&
         (query.operation == Operation::kInsert || query.operation == Operation::kUpdate ||
          query.operation == Operation::kDelete);
}

std::vector<bool> in_transaction(const Trace& trace, const QueryTable& queries) {
  std::vector<bool> inside(trace.executions.size(), trace.grouped_by == GroupedBy::kTransaction);
  std::vector<uint64_t> ran_in;  // virtual transactions, each as often as it has statements
  for (const Execution& execution : trace.executions)
    if (execution.transaction != 0) ran_in.push_back(execution.transaction);
  std::sort(ran_in.begin(), ran_in.end());
  std::vector<uint64_t> begun;  // sessions
  for (size_t i = 0; i < inside.size(); ++i) {
    const Execution& execution = trace.executions[i];
    const Query& query = queries[execution.query];
    auto session = std::find(begun.begin(), begun.end(), execution.session);
    if (query.transaction == TransactionVerb::kBegin && session == begun.end())
      session = begun.insert(session, execution.session);
    // A log may begin inside a transaction: then the virtual xid alone tells.
    const auto first = std::lower_bound(ran_in.begin(), ran_in.end(), execution.transaction);
    const bool shares = execution.transaction != 0 && std::next(first) != ran_in.end() &&
                        *std::next(first) == execution.transaction;
    if (session != begun.end() || shares || execution.session == 0) inside[i] = true;
    if (ends_transaction(query) && session != begun.end()) begun.erase(session);
  }
  return inside;
}

}  // namespace ectoscope
