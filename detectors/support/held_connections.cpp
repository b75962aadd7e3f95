#include "detectors/support/held_connections.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace ectoscope {

void HeldConnections::watch(const Execution& execution) {
  if (execution.session == 0 || execution.pid == 0) return;
  if (watched_.size() == kMaxWatched) watched_.pop_front();
  watched_.push_back({execution.position,
                      execution.session,
                      execution.stream,
                      execution.pid,
                      execution.query,
                      execution.started_at,
                      execution.ended_at,
                      {}});
}

/// A transaction holds the connection for all of its statements.
void HeldConnections::Other::note(const Execution& execution, const Query& query) {
  if (ends_transaction(query)) {
    if (!begun) uses = 0;  // it began before: what was counted were its statements
    begun = false;
    return;
  }
  const bool goes_on =
      begun || (execution.transaction != 0 && execution.transaction == transaction);
  transaction = execution.transaction;
  if (goes_on) return;
  begun = query.transaction == TransactionVerb::kBegin;
  starts[uses++ % kKept] = execution.started_at;
}

/// Of its uses that began before that; none where there were fewer than kMinUses.
std::optional<EventTime> HeldConnections::Other::last_but_one(EventTime before) const {
  uint64_t last = uses;  // one past it
  const uint64_t kept = std::min<uint64_t>(uses, kKept);
  while (last > uses - kept && starts[(last - 1) % kKept] >= before)
    --last;
  if (last < kMinUses || last < uses - kept + 2) return std::nullopt;
  return starts[(last - 2) % kKept];
}

std::optional<HeldConnections::Held> HeldConnections::judge(const Watched& watched,
                                                            EventTime next) {
  std::vector<EventTime> until;
  for (const auto& [session, other] : watched.others)
    if (const auto use = other.last_but_one(next)) until.push_back(*use);
  if (until.size() < kMinOthers) return std::nullopt;
  const auto third = until.begin() + (kMinOthers - 1);
  std::nth_element(until.begin(), third, until.end(), std::greater<>());
  return Held{watched.started_at, watched.pid, watched.query, *third, *third - watched.ended_at};
}

std::optional<HeldConnections::Held> HeldConnections::look(const Execution& execution,
                                                           const Query& query) {
  std::optional<Held> held;
  while (!watched_.empty() && execution.ended_at > watched_.front().ended_at + kLongest)
    watched_.pop_front();
  for (auto watched = watched_.begin(); watched != watched_.end();) {
    const bool later =
        execution.position != watched->position && execution.started_at > watched->ended_at;
    if (!later || execution.stream != watched->stream) {
      ++watched;
    } else if (execution.session == watched->session) {
      held = judge(*watched, execution.started_at);
      watched = watched_.erase(watched);
    } else {
      const bool known = watched->others.contains(execution.session);
      if (known || watched->others.size() < kMaxOthers)
        watched->others[execution.session].note(execution, query);
      ++watched;
    }
  }
  return held;
}

}  // namespace ectoscope
