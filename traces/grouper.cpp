#include "traces/grouper.h"

#include <algorithm>
#include <utility>

namespace ectoscope {
namespace {

constexpr Micros kIdleSession{60'000'000};

}  // namespace

Grouper::Grouper(const QueryTable& queries, const Options& options, Sink sink, Judging judging)
    : queries_(queries), limits_(options), sink_(std::move(sink)), judging_(judging) {}

void Grouper::add(std::span<const Execution> executions) {
  for (const Execution& execution : executions) {
    if (!execution.has(Execution::kIgnored)) add_one(execution, {true, true});
  }
}

void Grouper::add_again(const Execution& execution, Awaits awaits) {
  if (awaits.trace) return add_one(execution, awaits);
  if (queries_[execution.query].system) return;
  chain_of(execution.stream).note(execution);
  add_write(execution, awaits.other_writes);
}

void Grouper::add_one(const Execution& execution, Awaits awaits) {
  now_ = std::max(now_, execution.ended_at);
  close_quiet(now_);
  if (judging_ == Judging::kEarlyToo) judge_early(now_);
  chain_of(execution.stream).count(execution);
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
  // It may stand in a transaction whose BEGIN the log does not show.
  if (execution.transaction != 0 || !are_torn()) add_write(execution, awaits.other_writes);
}

void Grouper::add_write(const Execution& execution, bool awaits_others) {
  WriteLinker& writes = writes_of(execution.stream);
  if (!awaits_others) return writes.note(execution);
  writes.add(execution,
             [&](const WriteLinker::Found& found) { emit_writes(execution.stream, found); });
}

Grouper::TagKey Grouper::own_tag(const Execution& execution) {
  if (execution.has(Execution::kNamed)) return {};
  return {execution.trace_id, execution.trace_id.known() ? 0 : execution.request_tag};
}

Grouper::TagKey Grouper::believed_tag(const Execution& execution) {
  const bool tagged = execution.trace_id.known() || execution.request_tag != 0;
  if (tagged && execution.has(Execution::kNamed) && !execution.has(Execution::kParsedNow)) ++stale_;
  return own_tag(execution);
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
  const bool another =
      execution.transaction != 0 && session.own != 0 && execution.transaction != session.own;
  const bool ends = ends_transaction(query);
  if (session.open && (begins || another)) end_unseen(session);
  if (!session.open && !begins && !goes_on) {
    if (ends && session.ended && execution.transaction == 0) count_transaction(torn_);
    session.ended = session.ended || ends;
    return false;
  }
  session.open = true;
  session.ended = session.ended || ends;
  if (session.own == 0) session.own = execution.transaction;
  if (ends && session.own == 0) count_transaction(whole_);
  if (session.own == 0 && are_torn()) {
    session.open = !ends;
    return false;
  }
  if (tag.known() && !session.tag.known()) session.tag = tag;
  session.statements.add(execution, limits_.max_executions);
  if (ends) end_transaction(session);
  return true;
}

/// The log's settings may change: what it showed long ago counts for less and less.
void Grouper::count_transaction(uint64_t& kind) {
  constexpr uint64_t kRemembered = 1000;
  ++kind;
  if (whole_ + torn_ < kRemembered) return;
  whole_ /= 2;
  torn_ /= 2;
}

/// Where more than one BEGIN or end in ten is missing, what stands between a BEGIN and the next end
/// may be of several requests.
bool Grouper::are_torn() const {
  return torn_ >= 3 && torn_ * 10 > whole_;
}

/// Another begins on the same connection: this one is over.
void Grouper::end_unseen(Session& session) {
  if (session.own != 0) return end_transaction(session);
  count_transaction(torn_);
  take_apart(session);
}

/// The log ends, or it was open for too long: it may still be open, or have lost its end.
void Grouper::cut_off(Session& session) {
  const bool old = !session.statements.empty() && now_ - session.statements.first() > kIdleSession;
  const bool ends_show = whole_ >= 10 && !are_torn();
  if (session.own == 0 && old && !ends_show) return take_apart(session);
  end_transaction(session);
}

/// It was no transaction: only what carries a tag of its own belongs to a trace.
void Grouper::take_apart(Session& session) {
  for (const Execution& execution : session.statements.executions()) {
    const TagKey tag = own_tag(execution);
    if (tag.known()) {
      add_tagged(tag, execution);
    } else if (!queries_[execution.query].system) {
      ++counts_[static_cast<size_t>(GroupedBy::kNone)];
    }
  }
  session.statements.clear();
  end_transaction(session);
}

void Grouper::end_transaction(Session& session) {
  session.open = false;
  session.own = 0;
  if (session.statements.empty()) {
    session.tag = {};
    return;
  }
  if (session.tag.known()) {
    const auto tagged = open_tagged(session.tag);
    tagged->trace.add(session.statements, limits_.max_executions);
    touch(tagged);
  } else {
    Trace trace = session.statements.view();
    trace.number = next_number_++;
    emit(trace, GroupedBy::kTransaction);
  }
  session.tag = {};
  session.statements.clear();
}

std::list<Grouper::Tagged>::iterator Grouper::open_tagged(const TagKey& key) {
  if (const auto found = by_tag_.find(key); found != by_tag_.end()) return found->second;
  if (tagged_.size() >= limits_.max_open_traces) close(tagged_.begin());
  if (spare_.empty()) spare_.emplace_back();
  tagged_.splice(tagged_.end(), spare_, spare_.begin());
  const auto tagged = std::prev(tagged_.end());
  tagged->key = key;
  tagged->number = next_number_++;
  by_tag_.emplace(key, tagged);
  if (unjudged_ == tagged_.end()) unjudged_ = tagged;
  return tagged;
}

void Grouper::touch(std::list<Tagged>::iterator tagged) {
  if (unjudged_ == tagged) ++unjudged_;
  tagged_.splice(tagged_.end(), tagged_, tagged);
  if (unjudged_ == tagged_.end()) unjudged_ = tagged;
}

void Grouper::add_tagged(const TagKey& key, const Execution& execution) {
  const auto tagged = open_tagged(key);
  tagged->trace.add(execution, limits_.max_executions);
  touch(tagged);
  chain_of(execution.stream).note(execution);
}

void Grouper::close(std::list<Tagged>::iterator tagged) {
  Trace trace = tagged->trace.view();
  trace.number = tagged->number;
  trace.id = tagged->key.id;
  emit(trace, tagged->key.id.known() ? GroupedBy::kTraceparent : GroupedBy::kTag);
  by_tag_.erase(tagged->key);
  if (unjudged_ == tagged) ++unjudged_;
  // The room of a long one would go from trace to trace and never be given back.
  if (spare_.size() >= kMaxSpare || tagged->trace.room() > kMostSpared) {
    tagged_.erase(tagged);
    return;
  }
  tagged->trace.clear();
  spare_.splice(spare_.end(), tagged_, tagged);
}

void Grouper::close_quiet(EventTime now) {
  while (!tagged_.empty() && now - tagged_.front().trace.last() > limits_.trace_quiet) {
    close(tagged_.begin());
  }
}

void Grouper::judge_early(EventTime now) {
  for (; unjudged_ != tagged_.end() && now - unjudged_->trace.last() > kEarly; ++unjudged_) {
    Trace trace = unjudged_->trace.view();
    trace.number = unjudged_->number;
    trace.id = unjudged_->key.id;
    trace.closed = false;
    trace.grouped_by = trace.id.known() ? GroupedBy::kTraceparent : GroupedBy::kTag;
    sink_(trace);
  }
}

void Grouper::advance(EventTime now) {
  now_ = std::max(now_, now);
  close_quiet(now_);
  if (judging_ == Judging::kEarlyToo) {
    judge_early(now_);
    close_endless(now_);
  }
  for (auto& [stream, chain] : chains_) {
    chain->advance(now_, [&, at = stream](const Chain::Found& found) { emit_loop(at, found); });
  }
  for (auto& [stream, writes] : writes_) {
    writes->advance(now_,
                    [&, at = stream](const WriteLinker::Found& found) { emit_writes(at, found); });
  }
}

/// What is open holds back the place from which a log is read again after a restart.
void Grouper::close_endless(EventTime now) {
  constexpr Micros kEvery{10'000'000};
  if (now - endless_looked_at_ < kEvery) return;
  endless_looked_at_ = now;
  for (auto tagged = tagged_.begin(); tagged != tagged_.end();) {
    const auto next = std::next(tagged);
    if (now - tagged->trace.first() > kLongestTrace) close(tagged);
    tagged = next;
  }
  std::vector<std::pair<EventTime, uint64_t>> endless;  // not in hash order: replays are equal
  for (const auto& [id, session] : sessions_) {
    if (!session.statements.empty() && now - session.statements.first() > kLongestTrace)
      endless.emplace_back(session.last, id);
  }
  std::sort(endless.begin(), endless.end());
  for (const auto& [last, id] : endless)
    cut_off(sessions_.at(id));
}

void Grouper::visit_open(const std::function<void(const Execution&)>& visit) const {
  for (const Tagged& tagged : tagged_)
    std::for_each(tagged.trace.executions().begin(), tagged.trace.executions().end(), visit);
  for (const auto& [id, session] : sessions_)
    std::for_each(session.statements.executions().begin(), session.statements.executions().end(),
                  visit);
  for (const auto& [stream, chain] : chains_)
    chain->visit_open(visit);
}

void Grouper::visit_writes(const std::function<void(const Execution&)>& visit) const {
  for (const auto& [stream, writes] : writes_)
    writes->visit_open(visit);
}

void Grouper::limit_sessions(EventTime now) {
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    if (now - it->second.last <= kIdleSession) {
      ++it;
      continue;
    }
    cut_off(it->second);
    it = sessions_.erase(it);
  }
  if (sessions_.size() < kMaxSessions) return;
  // More live sessions than any server has: forged or mixed input.  Begin anew.
  for (auto& [id, session] : sessions_)
    cut_off(session);
  sessions_.clear();
}

Chain& Grouper::chain_of(StreamId stream) {
  // Streams past the bound share one chain: their loops are still found, with less certainty.
  const bool room = chains_.size() < kMaxStreams || chains_.contains(stream);
  auto& chain = chains_[room ? stream : UINT32_MAX];
  if (chain == nullptr) chain = std::make_unique<Chain>(queries_, limits_.loops);
  return *chain;
}

WriteLinker& Grouper::writes_of(StreamId stream) {
  const bool room = writes_.size() < kMaxStreams || writes_.contains(stream);
  auto& writes = writes_[room ? stream : UINT32_MAX];
  if (writes == nullptr) writes = std::make_unique<WriteLinker>(queries_);
  return *writes;
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
  trace.several = found.several;
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

void Grouper::emit_writes(StreamId stream, const WriteLinker::Found& found) {
  Trace trace;
  trace.number = next_number_++;
  trace.confidence = found.confidence;
  trace.stream = stream == UINT32_MAX ? found.executions.back().stream : stream;
  trace.executions = found.executions;
  loop_totals_.clear();
  for (const Execution& execution : found.executions) {
    const auto total =
        std::find_if(loop_totals_.begin(), loop_totals_.end(),
                     [&](const ShapeTotal& it) { return it.query == execution.query; });
    if (total == loop_totals_.end()) {
      loop_totals_.push_back({execution.query, 1, execution.duration});
    } else {
      ++total->executions;
      total->duration += execution.duration;
    }
  }
  std::sort(loop_totals_.begin(), loop_totals_.end(),
            [](const ShapeTotal& a, const ShapeTotal& b) { return a.query < b.query; });
  trace.totals = loop_totals_;
  emit(trace, GroupedBy::kChain);
}

void Grouper::finish() {
  for (auto& [stream, chain] : chains_) {
    chain->finish([&, at = stream](const Chain::Found& found) { emit_loop(at, found); });
  }
  for (auto& [stream, writes] : writes_) {
    writes->finish([&, at = stream](const WriteLinker::Found& found) { emit_writes(at, found); });
  }
  std::vector<std::pair<EventTime, uint64_t>> open;  // not in hash order: replays are equal
  for (const auto& [id, session] : sessions_)
    open.emplace_back(session.last, id);
  std::sort(open.begin(), open.end());
  for (const auto& [last, id] : open)
    cut_off(sessions_.at(id));
  while (!tagged_.empty())
    close(tagged_.begin());
}

}  // namespace ectoscope
