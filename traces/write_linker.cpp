#include "traces/write_linker.h"

#include <algorithm>
#include <tuple>

namespace ectoscope {
namespace {

constexpr Micros kSlack{1'000};         // stamps have milliseconds
constexpr Micros kAtOnce{60'000};       // an application's work between two writes
constexpr Micros kHandedOn{1'000'000};  // the same where a value says so, a call of another service
constexpr double kLeastSure = 0.6;      // that a value was handed on
constexpr size_t kNeighbours = 32;      // writes looked back at
constexpr double kLeastSeen = 5;        // pairs of two shapes, before they are a habit
constexpr double kLeastExcess = 0.5;    // of the rarer one's writes, over what chance brings
constexpr double kValueConfidence = 0.95;
constexpr double kForget = 0.5;  // of what was learned, from window to window
// Rows of one parent that a trace shows.  A loop is the loop linker's to find: it needs five.
constexpr std::ptrdiff_t kMostSiblings = 4;

/// Whether the second write begins another request: what was read with this value before the first
/// is read again between the two.
bool begins_anew(std::span<const ValueModel::Use> uses, const ValueModel::Use& from,
                 const ValueModel::Use& to) {
  return std::any_of(uses.begin(), uses.end(), [&](const ValueModel::Use& again) {
    if (again.write || again.started_at < from.ended_at || again.started_at > to.started_at)
      return false;
    return std::any_of(uses.begin(), uses.end(), [&](const ValueModel::Use& first) {
      return !first.write && first.query == again.query && first.slot == again.slot &&
             first.started_at <= from.started_at && from.started_at - first.started_at <= kHandedOn;
    });
  });
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
  if (query.operation != Operation::kSelect) return;
  const RowValues values = row_values(execution, query);
  if (values.value == RowValues{}.value) return;
  if (reads_.size() >= kMaxReads) reads_.erase(reads_.begin(), reads_.begin() + kMaxReads / 2);
  reads_.push_back({execution.started_at, execution.ended_at, execution.duration, execution.session,
                    values, execution.query, execution.pid});
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
      return std::tuple(a.ended_at, a.position) < std::tuple(b.ended_at, b.position);
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
  std::array<QueryId, kNeighbours> seen{};
  for (auto write = writes_.begin(); write != writes_.end(); ++write) {
    const EventTime moment = write->started_at + shift;
    auto after = std::upper_bound(writes_.begin(), writes_.end(), moment + kSlack,
                                  [](EventTime at, const Execution& e) { return at < e.ended_at; });
    if (shift.count() == 0) after = std::min(after, write);
    size_t shapes = 0;
    for (size_t looked = 0; after != writes_.begin() && looked < kNeighbours; ++looked) {
      const Execution& earlier = *--after;
      if (moment - earlier.ended_at > kAtOnce || earlier.query == write->query) break;
      const auto end = seen.begin() + static_cast<std::ptrdiff_t>(shapes);
      if (std::find(seen.begin(), end, earlier.query) != end) continue;
      seen[shapes++] = earlier.query;
      if (queries_[earlier.query].tables.front() == queries_[write->query].tables.front()) continue;
      const Pair pair{earlier.query, write->query};
      if (follows_.size() < kMaxPairs || follows_.contains(pair)) follows_[pair].*count += weight;
    }
  }
}

void WriteLinker::note_values() {
  values_.begin_window();
  for (uint32_t i = 0; i < writes_.size(); ++i) {
    const Execution& write = writes_[i];
    values_.add_write(row_values(write, queries_[write.query]),
                      {write.started_at, write.ended_at, write.query, i});
  }
  for (uint32_t i = 0; i < reads_.size(); ++i) {
    const Read& read = reads_[i];
    values_.add_read(read.values, {read.started_at, read.ended_at, read.query, i});
  }
  values_.learn();
}

void WriteLinker::link_by_value() {
  for (uint32_t i = 0; i < writes_.size(); ++i) {
    const Execution& write = writes_[i];
    const RowValues values = row_values(write, queries_[write.query]);
    for (uint8_t slot = 0; slot < RowValues::kSlots; ++slot) {
      const auto uses = values_.uses(values.value[slot]);
      if (!uses.empty())
        link_by_value(uses, {write.started_at, write.ended_at, write.query, i, slot, true});
    }
  }
}

/// From the last write before `to` that took the value too.
void WriteLinker::link_by_value(std::span<const ValueModel::Use> uses, const ValueModel::Use& to) {
  const ValueModel::Use* from = nullptr;
  for (const ValueModel::Use& use : uses) {
    if (use.write && use.index < to.index && (from == nullptr || use.index > from->index))
      from = &use;
  }
  if (from == nullptr) return;
  const Micros gap = to.started_at - from->ended_at;
  if (gap > kHandedOn || gap < -kSlack || !values_.tells_apart(*from, to)) return;
  if (queries_[from->query].tables.front() == queries_[to.query].tables.front()) {
    if (!siblings(*from, to)) return;
  } else if (!ValueModel::is_rare(uses, to.started_at) ||
             (gap > kAtOnce && begins_anew(uses, *from, to))) {
    return;
  }
  const double sure = values_.sureness(*from, to, gap);
  if (sure < kLeastSure) return;
  links_.push_back({true, gap, from->index, to.index, std::min(sure, kValueConfidence)});
}

/// Rows of one parent, inserted one by one.
bool WriteLinker::siblings(const ValueModel::Use& from, const ValueModel::Use& to) const {
  return from.query == to.query && from.slot == to.slot &&
         queries_[to.query].operation == Operation::kInsert;
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
    if (!link.by_value && (has_next[link.from] || has_previous[link.to])) continue;
    const uint32_t left = group_of_[link.from];
    const uint32_t right = group_of_[link.to];
    if (left == right) continue;
    const auto& other = groups_[right];
    const QueryId shared = writes_[link.from].query == writes_[link.to].query
                               ? writes_[link.to].query
                               : kNoQuery;  // of siblings
    const bool twice = std::any_of(groups_[left].begin(), groups_[left].end(), [&](uint32_t a) {
      return std::any_of(other.begin(), other.end(), [&](uint32_t b) {
        return writes_[a].query == writes_[b].query && writes_[a].query != shared;
      });
    });
    if (twice) continue;
    if (!link.by_value) {  // others may stand between what a value joins
      has_next[link.from] = true;
      has_previous[link.to] = true;
    }
    sureness_[left] = std::min({sureness_[left], sureness_[right], link.confidence});
    for (const uint32_t member : groups_[right])
      group_of_[member] = left;
    groups_[left].insert(groups_[left].end(), groups_[right].begin(), groups_[right].end());
    groups_[right].clear();
  }
}

/// The earliest read that handed one of the write's values on to it.
const WriteLinker::Read* WriteLinker::first_read(uint32_t index) const {
  const Execution& write = writes_[index];
  const RowValues values = row_values(write, queries_[write.query]);
  const Read* first = nullptr;
  for (uint8_t slot = 0; slot < RowValues::kSlots; ++slot) {
    const auto uses = values_.uses(values.value[slot]);
    if (uses.empty() || !ValueModel::is_rare(uses, write.started_at)) continue;
    const ValueModel::Use to{write.started_at, write.ended_at, write.query, index, slot, true};
    for (const ValueModel::Use& use : uses) {
      const Micros gap = to.started_at - use.ended_at;
      if (use.write || gap < -kSlack || gap > kHandedOn) continue;
      if (!values_.tells_apart(use, to) || values_.sureness(use, to, gap) < kLeastSure) continue;
      if (first == nullptr || use.started_at < first->started_at) first = &reads_[use.index];
    }
  }
  return first;
}

void WriteLinker::find_start(const std::vector<uint32_t>& group) {
  const Read* first = nullptr;
  for (const uint32_t member : group) {
    const Read* read = first_read(member);
    if (read != nullptr && (first == nullptr || read->started_at < first->started_at)) first = read;
  }
  if (first == nullptr || first->started_at > executions_.front().started_at) return;
  Execution read;
  read.started_at = first->started_at;
  read.ended_at = first->ended_at;
  read.duration = first->duration;
  read.session = first->session;
  read.query = first->query;
  read.pid = first->pid;
  read.stream = executions_.front().stream;
  executions_.insert(executions_.begin(), read);
}

/// Of many siblings the last stays, for they end with it.
void WriteLinker::show(const Execution& write) {
  const auto sibling = [&](const Execution& e) { return e.query == write.query; };
  if (std::count_if(executions_.begin(), executions_.end(), sibling) == kMostSiblings) {
    const auto last = std::find_if(executions_.rbegin(), executions_.rend(), sibling);
    executions_.erase(std::next(last).base());
  }
  executions_.push_back(write);
}

void WriteLinker::emit(EventTime horizon, const Sink& sink) {
  for (size_t i = 0; i < groups_.size(); ++i) {
    auto& group = groups_[i];
    if (group.size() < 2) continue;
    std::sort(group.begin(), group.end());
    if (writes_[group.back()].ended_at >= horizon) continue;
    executions_.clear();
    for (const uint32_t member : group)
      show(writes_[member]);
    const bool one_shape = std::all_of(executions_.begin(), executions_.end(), [&](const auto& e) {
      return e.query == executions_.front().query;
    });
    if (one_shape) continue;
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
  std::erase_if(reads_, [&](const Read& read) { return read.ended_at + kHandedOn < horizon; });
}

}  // namespace ectoscope
