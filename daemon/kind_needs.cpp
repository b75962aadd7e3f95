#include "daemon/kind_needs.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace ectoscope {
namespace {

using Seen = KindVisibility::Seen;

/// All of `needs` show it; `instead` shows something of it where they don't; without one of
/// `besides` a part stays hidden.
struct KindNeeds {
  std::string_view kind;
  std::vector<Need> needs;
  std::vector<Need> instead;
  std::vector<Need> besides;
};

const std::vector<KindNeeds>& kind_needs() {
  static const std::vector<KindNeeds> kNeeds = {
      {"connection_churn", {Need::kLog, Need::kConnections}, {}, {}},
      {"connection_exhaustion", {Need::kLog, Need::kErrors}, {}, {}},
      {"constraint_violation", {Need::kLog, Need::kErrors}, {}, {}},
      {"deadlock", {Need::kLog, Need::kErrors}, {}, {}},
      {"deep_offset", {Need::kLog, Need::kPlans}, {}, {}},
      {"disk_spill",
       {Need::kLog, Need::kTemporary},
       {Need::kLog, Need::kPlans, Need::kActualRows},
       {}},
      {"idle_in_transaction", {Need::kLog, Need::kStatements}, {}, {}},
      {"inverse_rows", {Need::kLog, Need::kPlans, Need::kActualRows}, {}, {}},
      {"lock_wait", {Need::kLog, Need::kLocks}, {}, {}},
      {"missing_index", {Need::kLog, Need::kPlans, Need::kActualRows}, {}, {Need::kTriggers}},
      {"n_plus_one_read", {Need::kLog, Need::kStatements}, {Need::kCounters}, {Need::kParameters}},
      {"n_plus_one_write", {Need::kLog, Need::kStatements}, {}, {}},
      {"non_atomic_writes", {Need::kLog, Need::kStatements}, {}, {}},
      {"over_fetch", {Need::kLog, Need::kPlans, Need::kActualRows}, {Need::kCounters}, {}},
      {"plan_flip", {Need::kLog, Need::kPlans}, {}, {}},
      {"query_regression", {Need::kCounters}, {}, {}},
      {"redundant_query", {Need::kLog, Need::kStatements, Need::kParameters}, {}, {}},
      {"serialization_failure", {Need::kLog, Need::kErrors}, {}, {}},
      {"slow_query", {Need::kLog, Need::kSlow}, {Need::kCounters}, {}},
      {"stale_statistics", {Need::kLog, Need::kPlans, Need::kActualRows}, {}, {}},
      {"statement_timeout", {Need::kLog, Need::kErrors}, {}, {}},
      {"unindexable_predicate", {Need::kLog, Need::kPlans}, {}, {}},
      {"unsafe_migration", {Need::kLog, Need::kStatements}, {}, {}},
      {"wrong_index", {Need::kLog, Need::kPlans, Need::kActualRows}, {}, {}},
  };
  return kNeeds;
}

}  // namespace

std::vector<KindVisibility> judge_kinds(const HiddenNeeds& hidden) {
  std::vector<KindVisibility> kinds;
  const auto first_hidden = [&hidden](const std::vector<Need>& needs) {
    return std::find_if(needs.begin(), needs.end(),
                        [&hidden](Need need) { return hidden.contains(need); });
  };
  for (const KindNeeds& it : kind_needs()) {
    KindVisibility kind{std::string(it.kind), Seen::kYes, ""};
    if (const auto need = first_hidden(it.needs); need != it.needs.end()) {
      kind.why = hidden.at(*need);
      kind.seen = Seen::kNo;
      if (!it.instead.empty() && first_hidden(it.instead) == it.instead.end()) {
        kind.seen = Seen::kPartly;
        const bool counters = it.instead.front() == Need::kCounters;
        kind.why += counters ? "; by pg_stat_statements only" : "; by the plans of slow statements";
      }
    } else if (const auto part = first_hidden(it.besides); part != it.besides.end()) {
      kind.seen = Seen::kPartly;
      kind.why = hidden.at(*part);
    }
    kinds.push_back(std::move(kind));
  }
  return kinds;
}

}  // namespace ectoscope
