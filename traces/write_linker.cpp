#include "traces/write_linker.h"

#include <algorithm>
#include <string_view>
#include <tuple>

namespace ectoscope {
namespace {

constexpr Micros kSlack{1'000};       // stamps have milliseconds
constexpr Micros kAtOnce{60'000};     // an application's work between two writes
constexpr Micros kHandedOn{180'000};  // the same where a value says so
constexpr Micros kReach{500'000};     // as far as a value is followed
constexpr size_t kRare = 8;           // uses of a value within that: more is a constant
constexpr size_t kNeighbours = 32;    // writes looked back at
constexpr double kLeastSeen = 5;      // pairs of two shapes, before they are a habit
constexpr double kLeastExcess = 0.5;  // of the rarer one's writes, over what chance brings
constexpr double kValueConfidence = 0.95;
constexpr double kForget = 0.5;  // of what was learned, from window to window

/// A constant of the code says nothing, and neither does a flag or a count.
bool tells(int64_t value) {
  return value > 2 || value < -2;
}

}  // namespace

bool WriteLinker::single_write(const Execution& execution) const {
  const Query& query = queries_[execution.query];
  switch (query.operation) {
    case Operation::kInsert:
      return query.inserted_rows <= 1 && !query.tables.empty();
    case Operation::kUpdate:
    case Operation::kDelete:
      return query.key_form == KeyForm::kSingle && !query.tables.empty();
    default:
      return false;
  }
}

void WriteLinker::add(const Execution& execution, const Sink& sink) {
  if (!started_) {
    started_ = true;
    horizon_ = execution.ended_at + kWindow;
  }
  advance(execution.ended_at, sink);
  if (single_write(execution)) {
    writes_.push_back(execution);
    // Past all that is held: what is full must not stay full.
    if (writes_.size() >= kMaxWrites) close_window(execution.ended_at + kSettle, sink);
    return;
  }
  note(execution);
}

void WriteLinker::note(const Execution& execution) {
  const Query& query = queries_[execution.query];
  if (query.operation != Operation::kSelect || execution.integer_slots == 0) return;
  if (reads_.size() >= kMaxReads) reads_.erase(reads_.begin(), reads_.begin() + kMaxReads / 2);
  reads_.push_back({execution.started_at, execution.ended_at, execution.duration, execution.session,
                    execution.integers, execution.query, execution.pid, execution.integer_slots});
}

void WriteLinker::advance(EventTime now, const Sink& sink) {
  if (!started_ || now < horizon_ + kSettle) return;
  const EventTime horizon = std::max(horizon_, now - kSettle);
  close_window(horizon, sink);
  horizon_ = horizon + kWindow;
}

void WriteLinker::finish(const Sink& sink) {
  if (started_) close_window(EventTime::max(), sink);
}

void WriteLinker::visit_open(const std::function<void(const Execution&)>& visit) const {
  std::for_each(writes_.begin(), writes_.end(), visit);
}

/// Finds traces among all that is held, and gives out those that ended before `horizon`.
void WriteLinker::close_window(EventTime horizon, const Sink& sink) {
  if (!writes_.empty()) {
    std::sort(writes_.begin(), writes_.end(), [](const Execution& a, const Execution& b) {
      return std::tuple(a.started_at, a.ended_at, a.position) <
             std::tuple(b.started_at, b.ended_at, b.position);
    });
    learn();
    links_.clear();
    note_values();
    link_by_value();
    link_by_habit();
    join();
    emit(horizon, sink);
  }
  forget(horizon);
}

void WriteLinker::learn() {
  for (auto& [pair, follows] : follows_) {
    follows.at_once *= kForget;
    follows.by_chance *= kForget;
  }
  for (auto& [query, count] : counts_)
    count *= kForget;
  std::erase_if(follows_, [](const auto& entry) { return entry.second.at_once < 0.1; });
  std::erase_if(counts_, [](const auto& entry) { return entry.second < 0.1; });
  for (const Execution& write : writes_)
    ++counts_[write.query];
  sweep(Micros(0), 1, &Follows::at_once);
  for (const int64_t away : {-700'000, -400'000, 400'000, 700'000})
    sweep(Micros(away), 0.25, &Follows::by_chance);
}

/// Counts, for each write, the nearest one of each other shape before it, were it `shift` later.
/// Of two of one shape only the first may follow: a pair is one to one.
void WriteLinker::sweep(Micros shift, double weight, double Follows::*count) {
  size_t before = 0;  // writes_[0, before) start before the moment
  std::array<QueryId, kNeighbours> seen{};
  for (const Execution& write : writes_) {
    const EventTime moment = write.started_at + shift;
    while (before < writes_.size() && writes_[before].started_at < moment)
      ++before;
    while (before > 0 && writes_[before - 1].started_at >= moment)
      --before;
    size_t shapes = 0;
    for (size_t i = before; i > 0 && before - i < kNeighbours; --i) {
      const Execution& earlier = writes_[i - 1];
      if (moment - earlier.ended_at > kAtOnce || earlier.query == write.query) break;
      const auto end = seen.begin() + static_cast<std::ptrdiff_t>(shapes);
      if (earlier.ended_at > moment + kSlack ||
          std::find(seen.begin(), end, earlier.query) != end) {
        continue;
      }
      seen[shapes++] = earlier.query;
      if (queries_[earlier.query].tables.front() == queries_[write.query].tables.front()) continue;
      const Pair pair{earlier.query, write.query};
      if (follows_.size() < kMaxPairs || follows_.contains(pair)) follows_[pair].*count += weight;
    }
  }
}

/// Where each value that a write took was used.
void WriteLinker::note_values() {
  values_.clear();
  for (uint32_t i = 0; i < writes_.size(); ++i) {
    for (size_t slot = 0; slot < writes_[i].integers.size(); ++slot) {
      if ((writes_[i].integer_slots >> slot & 1U) == 0 || !tells(writes_[i].integers[slot]))
        continue;
      values_[writes_[i].integers[slot]].push_back({writes_[i].started_at, i, true});
    }
  }
  for (uint32_t i = 0; i < reads_.size(); ++i) {
    for (size_t slot = 0; slot < reads_[i].integers.size(); ++slot) {
      if ((reads_[i].integer_slots >> slot & 1U) == 0) continue;
      const auto found = values_.find(reads_[i].integers[slot]);
      if (found != values_.end()) found->second.push_back({reads_[i].started_at, i, false});
    }
  }
}

bool WriteLinker::is_rare(const std::vector<Use>& uses, EventTime at) const {
  const auto near = std::count_if(uses.begin(), uses.end(), [&](const Use& use) {
    return use.at - at <= kReach && at - use.at <= kReach;
  });
  return static_cast<size_t>(near) <= kRare;
}

void WriteLinker::link_by_value() {
  for (uint32_t i = 0; i < writes_.size(); ++i) {
    const Execution& to = writes_[i];
    for (size_t slot = 0; slot < to.integers.size(); ++slot) {
      if ((to.integer_slots >> slot & 1U) == 0 || !tells(to.integers[slot])) continue;
      const auto& uses = values_.find(to.integers[slot])->second;
      uint32_t from = i;
      for (const Use& use : uses) {
        if (use.write && use.index < i && (from == i || use.index > from)) from = use.index;
      }
      if (from == i) continue;
      const Execution& earlier = writes_[from];
      const Micros gap = to.started_at - earlier.ended_at;
      if (queries_[earlier.query].tables.front() == queries_[to.query].tables.front() ||
          gap > kHandedOn || gap < -kSlack || !is_rare(uses, to.started_at)) {
        continue;
      }
      links_.push_back({true, gap, from, i, kValueConfidence});
    }
  }
}

/// 0 when they are none; else how much of their meetings chance does not explain.
double WriteLinker::habit(const Execution& from, const Execution& to) const {
  const auto found = follows_.find({from.query, to.query});
  if (found == follows_.end() || found->second.at_once < kLeastSeen) return 0;
  const double rarer = std::min(counts_.at(from.query), counts_.at(to.query));
  const double excess = found->second.at_once - found->second.by_chance;
  return excess >= kLeastExcess * rarer ? excess / found->second.at_once : 0;
}

void WriteLinker::link_by_habit() {
  for (uint32_t i = 0; i < writes_.size(); ++i) {
    const Execution& to = writes_[i];
    for (uint32_t k = 0; k < kNeighbours && k < i; ++k) {
      const uint32_t from = i - 1 - k;
      const Micros gap = to.started_at - writes_[from].ended_at;
      if (gap > kAtOnce) break;
      if (gap < -kSlack) continue;
      const double sure = habit(writes_[from], to);
      if (sure > 0) links_.push_back({false, gap, from, i, sure});
    }
  }
}

void WriteLinker::join() {
  std::sort(links_.begin(), links_.end(), [](const Link& a, const Link& b) {
    return std::tuple(!a.by_value, a.gap, a.from, a.to) <
           std::tuple(!b.by_value, b.gap, b.from, b.to);
  });
  const size_t count = writes_.size();
  group_of_.resize(count);
  groups_.assign(count, {});
  sureness_.assign(count, 1);
  for (uint32_t i = 0; i < count; ++i) {
    group_of_[i] = i;
    groups_[i] = {i};
  }
  std::vector<bool> has_next(count);
  std::vector<bool> has_previous(count);
  for (const Link& link : links_) {
    if (has_next[link.from] || has_previous[link.to]) continue;
    const uint32_t left = group_of_[link.from];
    const uint32_t right = group_of_[link.to];
    if (left == right) continue;
    const auto& other = groups_[right];
    const bool twice = std::any_of(groups_[left].begin(), groups_[left].end(), [&](uint32_t a) {
      return std::any_of(other.begin(), other.end(),
                         [&](uint32_t b) { return writes_[a].query == writes_[b].query; });
    });
    if (twice) continue;
    has_next[link.from] = true;
    has_previous[link.to] = true;
    sureness_[left] = std::min({sureness_[left], sureness_[right], link.confidence});
    for (const uint32_t member : groups_[right])
      group_of_[member] = left;
    groups_[left].insert(groups_[left].end(), groups_[right].begin(), groups_[right].end());
    groups_[right].clear();
  }
}

/// The earliest read that handed one of the group's values on.
void WriteLinker::find_start(const std::vector<uint32_t>& group) {
  const Read* first = nullptr;
  for (const uint32_t member : group) {
    const Execution& write = writes_[member];
    for (size_t slot = 0; slot < write.integers.size(); ++slot) {
      if ((write.integer_slots >> slot & 1U) == 0 || !tells(write.integers[slot])) continue;
      const auto& uses = values_.find(write.integers[slot])->second;
      if (!is_rare(uses, write.started_at)) continue;
      for (const Use& use : uses) {
        if (use.write || use.at > write.started_at || write.started_at - use.at > kReach / 2)
          continue;
        if (first == nullptr || use.at < first->started_at) first = &reads_[use.index];
      }
    }
  }
  if (first == nullptr || first->started_at > executions_.front().started_at) return;
  Execution read;
  read.started_at = first->started_at;
  read.ended_at = first->ended_at;
  read.duration = first->duration;
  read.session = first->session;
  read.integers = first->integers;
  read.integer_slots = first->integer_slots;
  read.query = first->query;
  read.pid = first->pid;
  read.stream = executions_.front().stream;
  executions_.insert(executions_.begin(), read);
}

void WriteLinker::emit(EventTime horizon, const Sink& sink) {
  for (size_t i = 0; i < groups_.size(); ++i) {
    auto& group = groups_[i];
    if (group.size() < 2) continue;
    std::sort(group.begin(), group.end());
    if (writes_[group.back()].ended_at >= horizon) continue;
    executions_.clear();
    for (const uint32_t member : group)
      executions_.push_back(writes_[member]);
    find_start(group);
    sink({executions_, sureness_[i]});
  }
}

/// What ended before the horizon is dealt with, but for groups that reach beyond it.
void WriteLinker::forget(EventTime horizon) {
  std::vector<Execution> kept;
  for (const auto& group : groups_) {
    if (group.empty() || writes_.empty() || writes_[group.back()].ended_at < horizon) continue;
    for (const uint32_t member : group)
      kept.push_back(writes_[member]);
  }
  writes_ = std::move(kept);
  groups_.clear();
  values_.clear();
  std::erase_if(reads_, [&](const Read& read) { return read.ended_at + kReach < horizon; });
}

}  // namespace ectoscope
