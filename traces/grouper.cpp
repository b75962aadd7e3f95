#include "traces/grouper.h"

#include <algorithm>
#include <utility>

namespace ectoscope {
namespace {

constexpr Micros kIdleSession{60'000'000};

bool ends_transaction(const Query& query) {
  return query.transaction == TransactionVerb::kCommit ||
         query.transaction == TransactionVerb::kRollback;
}

}  // namespace

Grouper::Grouper(const QueryTable& queries, const Options& options, Sink sink)
    : queries_(queries), limits_(options), sink_(std::move(sink)) {}

void Grouper::add(std::span<const Execution> executions) {
  for (const Execution& execution : executions) {
    if (!execution.has(Execution::kIgnored)) add_one(execution);
  }
}

void Grouper::add_one(const Execution& execution) {
  now_ = std::max(now_, execution.ended_at);
  close_quiet(now_);
  const TagKey tag = believed_tag(execution);
  if (add_to_transaction(execution, tag)) return;
  if (tag.known()) {
    add_tagged(tag, execution);
    return;
  }
  if (queries_[execution.query].system) return;
  ++counts_[static_cast<size_t>(GroupedBy::kNone)];
  chain_of(execution.stream).add(execution, [&](const Chain::Found& found) {
    emit_loop(execution.stream, found);
  });
}

Grouper::TagKey Grouper::believed_tag(const Execution& execution) {
  TagKey tag{execution.trace_id, execution.trace_id.known() ? 0 : execution.request_tag};
  if (!tag.known() || !execution.has(Execution::kNamed)) return tag;
  if (!execution.has(Execution::kParsedNow)) ++stale_;
  return {};
}

bool Grouper::add_to_transaction(const Execution& execution, const TagKey& tag) {
  if (execution.session == 0) return false;
  const Query& query = queries_[execution.query];
  const bool begins = query.transaction == TransactionVerb::kBegin;
  auto found = sessions_.find(execution.session);
  if (found == sessions_.end()) {
    if (sessions_.size() >= kMaxSessions) limit_sessions(execution.ended_at);
    found = sessions_.emplace(execution.session, Session{}).first;
  }
  Session& session = found->second;
  // A log may begin, or a prefix change, within a transaction: then the virtual xid stays the same.
  const bool goes_on = execution.transaction != 0 && execution.transaction == session.transaction;
  session.transaction = execution.transaction;
  session.last = execution.ended_at;
  if (begins && session.open) end_transaction(session);
  if (!session.open && !begins && !goes_on) return false;
  session.open = true;
  if (tag.known() && !session.tag.known()) session.tag = tag;
  session.statements.add(execution, limits_.max_executions);
  if (ends_transaction(query)) end_transaction(session);
  return true;
}

void Grouper::end_transaction(Session& session) {
  session.open = false;
  if (session.statements.empty()) return;
  if (session.tag.known()) {
    Tagged& tagged = open_tagged(session.tag);
    tagged.trace.add(session.statements, limits_.max_executions);
    touch(session.tag);
  } else {
    Trace trace = session.statements.view();
    trace.number = next_number_++;
    emit(trace, GroupedBy::kTransaction);
  }
  session.tag = {};
  session.statements.clear();
}

Grouper::Tagged& Grouper::open_tagged(const TagKey& key) {
  if (const auto found = by_tag_.find(key); found != by_tag_.end()) return *found->second;
  if (tagged_.size() >= limits_.max_open_traces) close(tagged_.begin());
  tagged_.push_back(Tagged{key, {}, next_number_++});
  by_tag_.emplace(key, std::prev(tagged_.end()));
  return tagged_.back();
}

void Grouper::touch(const TagKey& key) {
  tagged_.splice(tagged_.end(), tagged_, by_tag_.at(key));
}

void Grouper::add_tagged(const TagKey& key, const Execution& execution) {
  open_tagged(key).trace.add(execution, limits_.max_executions);
  touch(key);
  chain_of(execution.stream).note(execution);
}

void Grouper::close(std::list<Tagged>::iterator tagged) {
  Trace trace = tagged->trace.view();
  trace.number = tagged->number;
  trace.id = tagged->key.id;
  emit(trace, tagged->key.id.known() ? GroupedBy::kTraceparent : GroupedBy::kTag);
  by_tag_.erase(tagged->key);
  tagged_.erase(tagged);
}

void Grouper::close_quiet(EventTime now) {
  while (!tagged_.empty() && now - tagged_.front().trace.last() > limits_.trace_quiet) {
    close(tagged_.begin());
  }
}

void Grouper::limit_sessions(EventTime now) {
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    if (now - it->second.last <= kIdleSession) {
      ++it;
      continue;
    }
    end_transaction(it->second);
    it = sessions_.erase(it);
  }
  if (sessions_.size() < kMaxSessions) return;
  // More live sessions than any server has: forged or mixed input.  Begin anew.
  for (auto& [id, session] : sessions_)
    end_transaction(session);
  sessions_.clear();
}

Chain& Grouper::chain_of(StreamId stream) {
  // Streams past the bound share one chain: their loops are still found, with less certainty.
  const bool room = chains_.size() < kMaxStreams || chains_.contains(stream);
  auto& chain = chains_[room ? stream : UINT32_MAX];
  if (chain == nullptr) chain = std::make_unique<Chain>(queries_, limits_.loops);
  return *chain;
}

void Grouper::emit(Trace trace, GroupedBy rung) {
  trace.grouped_by = rung;
  ++counts_[static_cast<size_t>(rung)];
  sink_(trace);
}

void Grouper::emit_loop(StreamId stream, const Chain::Found& found) {
  counts_[static_cast<size_t>(GroupedBy::kNone)] -=
      std::min<uint64_t>(found.count, counts_[static_cast<size_t>(GroupedBy::kNone)]);
  Trace trace;
  trace.number = next_number_++;
  trace.confidence = found.confidence;
  trace.stream = stream;
  trace.executions = found.executions;
  loop_totals_.clear();
  loop_totals_.push_back({found.query, found.count, found.duration});
  if (found.has_parent) {
    const Execution& parent = found.executions.front();
    loop_totals_.push_back({parent.query, 1, parent.duration});
    if (parent.query < found.query) std::swap(loop_totals_[0], loop_totals_[1]);
  }
  trace.totals = loop_totals_;
  trace.truncated = found.count + (found.has_parent ? 1 : 0) > found.executions.size();
  emit(trace, GroupedBy::kChain);
}

void Grouper::finish() {
  for (auto& [stream, chain] : chains_) {
    chain->finish([&, at = stream](const Chain::Found& found) { emit_loop(at, found); });
  }
  std::vector<std::pair<EventTime, uint64_t>> open;  // not in hash order: replays are equal
  for (const auto& [id, session] : sessions_)
    open.emplace_back(session.last, id);
  std::sort(open.begin(), open.end());
  for (const auto& [last, id] : open)
    end_transaction(sessions_.at(id));
  while (!tagged_.empty())
    close(tagged_.begin());
}

}  // namespace ectoscope
